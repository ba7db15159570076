#!/bin/sh
# Data sets by name: fetched from a local server in place of the real hosts, found by their name,
# and some of their images.
. "$LP_SOURCE/tests/support/tap.sh"
cd "$scratch" || exit 1
mkdir -p served/countries
images='\0000\0000\0010\0003\0000\0000\0000\0013\0000\0000\0000\0001\0000\0000\0000\0001abcdefghijk'
labels='\0000\0000\0010\0001\0000\0000\0000\0013\0000\0001\0002\0003\0004\0005\0006\0007\0010\0011\0001'
for part in train t10k; do
    printf %b "$images" | gzip -n >served/$part-images-idx3-ubyte.gz
    printf %b "$labels" | gzip -n >served/$part-labels-idx1-ubyte.gz
done
for part in train valid test; do
    for country in AD AE; do
        mkdir -p served/countries/country211/$part/$country
        for i in 1 2 3 4; do
            printf 'P5\n1 1\n255\n%s' $i >served/countries/country211/$part/$country/$i.jpg
        done
    done
done
tar -C served/countries -czf served/country211.tgz country211
mkfifo hold
"$LP_TESTS/http_server" served <hold >port 2>requests &
exec 3>hold # the server ends when this closes
while [ ! -s port ]; do sleep 0.05; done
base=http://127.0.0.1:$(cat port)

# ---- fetch
show "$LP_PROGRAM" extract --pixels --data mnist --split test --out f
show "$LP_PROGRAM" fetch fer2013
show "$LP_PROGRAM" fetch fgvc-aircraft
show "$LP_PROGRAM" fetch mnist --sha256 00000000
show "$LP_PROGRAM" fetch mnits
show "$LP_PROGRAM" fetch mnist --url "$base"
ok "a file of another digest leaves nothing" [ ! -e datasets/data/mnist ]
show "$LP_PROGRAM" fetch mnist --url "$base" --unverified
show "$LP_PROGRAM" fetch mnist --url "$base" --unverified
show "$LP_PROGRAM" fetch country211 --url "$base/" --unverified --out places
ok "the archive is unpacked" [ -f places/country211/train/AE/4.jpg ]
ok "and gone" [ ! -e places/country211.tgz ]
expect fetched

# ---- archives that were cut off: between two members, in one, in the list at the end
tar -C places -cf whole.tar country211
size=$(wc -c <whole.tar)
for at in 0 1 2 3 4 5 6 7 8; do
# shellcheck disable=SC2017 # whole halves
    head -c $((size / 16384 * 8192 + 512 * at)) whole.tar >cut.tar
    run 1 "$LP_PROGRAM" extract --pixels --data country211:cut.tar --split train --out c
    ok "the message says so" grep -qE 'cut off|Truncated tar archive|damaged' stderr
done
printf 'PK\003\004 and no list of members' >cut.zip
show "$LP_PROGRAM" extract --pixels --data cut.zip --split train --out c
expect cut

# ---- some images
show "$LP_PROGRAM" extract --pixels --data mnist --split test --limit 10 --out some --format csv
run 0 cat some/meta.json
has '"part_images": 11'
has '"set": "mnist"'
show "$LP_PROGRAM" extract --pixels --data places --split train --per-class 3 --split-seed 2 --out three --format csv
show "$LP_PROGRAM" extract --pixels --data country211:places --split train --limit 1 --out none
run 0 "$LP_PROGRAM" fit three --out c.probe
run 0 "$LP_PROGRAM" eval c.probe three --report page.html
ok "the page says how much of the set it is" grep -q 'pixels on Country211, 6 of 31,650 training images' page.html
expect some

# ---- webdataset shards
mkdir -p wds/train wds/test
printf 'ant\nbee\n' >wds/classnames.txt
for i in 0 1 2 3; do
    printf 'P5\n1 1\n255\n%s' $i >s$i.jpg
    echo $((i % 2)) >s$i.cls
done
tar -cf wds/train/0.tar s0.jpg s0.cls s1.jpg s1.cls
tar -cf wds/train/1.tar s2.jpg s3.jpg s3.cls
cp wds/train/0.tar wds/test
echo 2 >wds/train/nshards.txt
echo 1 >wds/test/nshards.txt
show "$LP_PROGRAM" extract --pixels --data wds --split test --out shards --format csv
show "$LP_PROGRAM" extract --pixels --data wds --split train --out x
show -e "$LP_PROGRAM" extract --pixels --data wds --split train --out x --skip-broken
echo 2 >wds/test/nshards.txt
show "$LP_PROGRAM" extract --pixels --data wds --split test --out x
expect shards

# ---- models by rows, sets by columns
golden=$LP_SOURCE/tests/golden/encoder
cp "$golden/clip.safetensors" a.safetensors
cp "$golden/open_clip_config.json" . # says that it has QuickGELU
cp "$golden/timm.safetensors" b.safetensors
run 0 "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist,places --cache cache --out matrix
mv stdout first
for model in a b; do
    for set in MNIST Country211; do
        ok "a line for $model on $set, as it comes" \
            grep -qE "^$model on $set, [0-9]+ of [0-9,]+ test images: accuracy [0-9.]+ % \([0-9.]+ to [0-9.]+\)$" stderr
    done
done
ok "a row for each model, a column for each set" grep -qE '^model +feature +MNIST +Country211 +mean$' first
ok "a line for each set" grep -q '^accuracy: MNIST, 11 of 10,000 test images$' first
for file in table.json table.csv table.html table-work.png table-work.svg mnist/compare.json places/pairs.csv; do
    ok "matrix/$file" [ -s matrix/$file ]
done
ok "work for an image stands in the cells" grep -q '"gflop_per_image": 0.00' matrix/table.json
ok "and in the page" grep -q 'against the work for an image' matrix/table.html
ok "the table's file has the stars, as the one printed" [ "$(grep -c ',yes,' matrix/table.csv)" -ge 2 ]
ok "a cell for each" [ "$(wc -l <matrix/table.csv)" -eq 5 ]
run 0 "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist --into board.json --cache cache --out matrix
run 0 "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data places --into board.json --cache cache --out matrix
ok "a table that grew is the same table" cmp -s stdout first
run 0 "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist --limit 10 --into board.json --cache cache --out matrix --format csv
ok "some images of a set are another column" [ "$(grep -c MNIST stdout)" = 4 ]
# a choice that leaves the test images whole
for i in 1 2 3 4; do
    for class in AD AE; do
        echo "places/country211/train/$class/$i.jpg,$class,train" >>some.csv
    done
done
for class in AD AE; do
    echo "places/country211/test/$class/1.jpg,$class,test" >>some.csv
done
run 0 "$LP_PROGRAM" compare a=a.safetensors --data some.csv --into grown.json --cache cache --out grown
run 0 "$LP_PROGRAM" compare a=a.safetensors --data some.csv --limit 4 --into grown.json --cache cache --out grown
ok "a choice of training images replaces no result of all of them" [ "$(grep -c '"value"' grown.json)" = 2 ]
ok "and says so" grep -q '^accuracy: some, 2 test images, 4 of 8 training images$' stdout
echo '{}' >board.json
show "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist --into board.json
show "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist,nowhere --cache cache --out matrix
show "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist --into places
show "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data flower-102:places
show "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist, --cache cache
show "$LP_PROGRAM" compare a=a.safetensors b=b.safetensors --data mnist,dtd:places --cache never
expect table
exec 3>&-
done_testing
