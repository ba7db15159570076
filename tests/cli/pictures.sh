#!/bin/sh
# Pictures and pages of the commands: what the files are, what is refused before the work begins, and
# paths that cannot be written.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 6 --test 3 2>/dev/null || exit 1
data=$scratch/data/cifar-100-binary
cd "$scratch" || exit 1
# names that would break out of a page
sed "1s/.*/<script>alert('x')<\/script>/; 2s/.*/\"\&amp;\" onload=\"alert(2)/" "$data/fine_label_names.txt" >names &&
    cp names "$data/fine_label_names.txt"
sed "1s/.*/$(printf '\377')circle/" "$data/coarse_label_names.txt" >names && cp names "$data/coarse_label_names.txt"
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split $split --out $split
done
run 0 "$LP_PROGRAM" fit train --out a.probe
run 0 "$LP_PROGRAM" fit train --out b.probe -C 0.0001
ok "a feature set records superclasses" grep -q '"superclass_names"' test/meta.json

# big-endian number of 4 bytes at an offset
number() { od -An -tu1 -j"$2" -N4 "$1" | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'; }
# is_png FILE WIDTH HEIGHT: its signature, header and size; "-" for any up to 32767
is_png() {
    [ "$(od -An -tx1 -N16 "$1" | tr -d ' \n')" = 89504e470d0a1a0a0000000d49484452 ] || return 1
    [ "$(tail -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 49454e44ae426082 ] || return 1
    width=$(number "$1" 16)
    height=$(number "$1" 20)
    [ "$width" -le 32767 ] && [ "$height" -le 32767 ] && [ "$width" -gt 200 ] && [ "$height" -gt 200 ] || return 1
    [ "$2" = - ] || { [ "$width" = "$2" ] && [ "$height" = "$3" ]; }
}
# is_svg FILE: it parses, and its outermost element is svg
if command -v "${PYTHON:-python3}" >/dev/null 2>&1; then
    is_svg() {
        "${PYTHON:-python3}" -c "import sys, xml.dom.minidom as m
sys.exit(m.parse(sys.argv[1]).documentElement.tagName != 'svg')" "$1"
    }
else
    is_svg() { head -2 "$1" | grep -q '<svg ' && tail -1 "$1" | grep -q '</svg>'; }
fi
# is_page FILE: whole, nothing runs but its own script, nothing comes from elsewhere, names are text
is_page() {
    head -1 "$1" | grep -qx '<!DOCTYPE html>' && tail -1 "$1" | grep -qx '</html>' || return 1
    [ "$(grep -ci '<script' "$1")" = 1 ] && grep -qx '<script>' "$1" || return 1
    grep -qiE '<iframe|<link|<object|@import| onload="' "$1" && return 1
    # every address is the name of a namespace, every reference inside the page
    grep -o '[a-z]*://[^"'"'"' <]*' "$1" | grep -qvxE 'http://www.w3.org/(2000/svg|1999/xlink)' && return 1
    grep -oE '(src|href)="[^"]{0,24}' "$1" | grep -qvE '="(#|data:image/png;base64,)' && return 1
    grep -q "default-src 'none'" "$1"
}

# ---- eval
run 0 "$LP_PROGRAM" eval a.probe test --confusion c.png --mistakes m.png --data "$data" --report r.html
has "top-1 %"
ok "the confusion chart is a PNG" is_png c.png - -
ok "the contact sheet is a PNG" is_png m.png - -
ok "the page is self-contained" is_page r.html
for part in Accuracy Confusion Superclasses Classes Calibration Mistakes "How it was made"; do
    ok "section $part" grep -q "<h2 id=\"s[0-9]*\">$part</h2>" r.html
done
ok "names are text" grep -qF '&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;' r.html
ok "the most confident mistakes" [ "$(grep -c '<li><img ' r.html)" = 60 ]
ok "three charts" [ "$(grep -c '<svg ' r.html)" = 3 ]
ok "every class has its row" [ "$(sed -n '/the hardest first/,/<\/table>/p' r.html | grep -c '^<tr>')" -ge 100 ]
run 0 "$LP_PROGRAM" eval a.probe test --confusion c.svg --mistakes m.svg --data "$data" --threads 3
ok "the confusion chart as SVG" is_svg c.svg
ok "the contact sheet as SVG" is_svg m.svg
cp r.html r1.html
run 0 "$LP_PROGRAM" eval a.probe test --confusion c.png --mistakes m.png --data "$data" --report r.html
ok "the same page again" cmp r.html r1.html
run 0 "$LP_PROGRAM" eval a.probe test --report r.html
ok "without images: no mistakes are shown" sh -c "! grep -q 'Mistakes' r.html"
# from elsewhere: no meta.json, so no names and no superclasses
mkdir bare
cp test/*.npy bare/
run 0 "$LP_PROGRAM" eval a.probe bare --report bare.html --data "$data" --mistakes bare.png
ok "a page of bare features" is_page bare.html
ok "two charts, as superclasses are not known" [ "$(grep -c '<svg ' bare.html)" = 2 ]
# every image right: nothing to show
head -c $((3074 * 20)) "$data/train.bin" >twenty.bin
run 0 "$LP_PROGRAM" extract --model "$model" --data twenty.bin --split train --out twenty
run 0 "$LP_PROGRAM" fit twenty --out right.probe -C 1000
run 0 "$LP_PROGRAM" eval right.probe twenty --mistakes none.png --data twenty.bin --report none.html --format csv
has "20,20,100,"
says "no image was misclassified: none.png is not written"
ok "no picture" [ ! -e none.png ]
ok "no section of mistakes" sh -c "! grep -q Mistakes none.html"

# paths and names that are no UTF-8
bytes=$(printf 'p\377')
cp -r test "$bytes"
cp a.probe "$bytes.probe"
run 0 "$LP_PROGRAM" eval "$bytes.probe" "$bytes" --report "$bytes.html" --out "$bytes.json" --table superclasses
ok "a page for a path that is no UTF-8" is_page "$bytes.html"
ok "its settings are all there" grep -q 'title="test.made.inputs.data_sha256">SHA-256 of the images and labels<' "$bytes.html"
ok "their headings are words" grep -q '>test set › how it was made › how the features were made › preprocessing<' "$bytes.html"
run 0 "$LP_PROGRAM" compare "$bytes.probe=$bytes" a.probe=test --chart "$bytes.svg" --format csv
ok "both runs are compared" [ "$(wc -l <stdout)" -eq 2 ]
ok "and drawn" is_svg "$bytes.svg"

# ---- the images must be those of the features
show "$LP_PROGRAM" eval a.probe test --mistakes x.png --data "$model"
"$LP_PROGRAM" generate --out "$scratch/other" --seed 2 --train 1 --test 3 2>/dev/null
show "$LP_PROGRAM" eval a.probe test --mistakes x.png --data other/cifar-100-binary
show "$LP_PROGRAM" eval a.probe bare --mistakes x.png --data "$scratch/other/cifar-100-binary/train.bin"
"$LP_PROGRAM" generate --out "$scratch/short" --seed 1 --train 1 --test 2 2>/dev/null
show "$LP_PROGRAM" eval a.probe bare --mistakes x.png --data short
tail -c +3075 "$data/test.bin" >shifted.bin && head -c 3074 "$data/test.bin" >>shifted.bin
show "$LP_PROGRAM" eval a.probe bare --mistakes x.png --data shifted.bin
ok "a refused run draws nothing" [ ! -e x.png ]
expect other-images

# ---- fewshot, compare
run 0 "$LP_PROGRAM" fewshot train test --shots 1,2,4 --draws 2 --chart few.png
ok "few-shot curve, 900 x 560 at two pixels a unit" is_png few.png 1800 1120
run 0 "$LP_PROGRAM" fewshot train test --shots 1 --draws 1 --chart few.svg
ok "few-shot curve of one point" is_svg few.svg
run 0 "$LP_PROGRAM" compare a.probe=test b.probe=test --chart bars.png
ok "comparison" is_png bars.png - -
run 0 "$LP_PROGRAM" compare a.probe=test b.probe=test --chart bars.svg --format json
ok "comparison as SVG" is_svg bars.svg
ok "no reported number for weights that nobody published" sh -c "! grep -q '\"reported\"' stdout"
# official weights on official data, as meta.json would name them: the paper's number is known
mkdir official
for set in train test; do
    cp -r $set official/$set
    sed 's/"official": null/"official": "OpenAI CLIP ViT-B\/32"/; s/"feature": "projected"/"feature": "penultimate"/
        s/"input_size": [0-9]*/"input_size": 224/' $set/meta.json >official/$set/meta.json
done
run 0 "$LP_PROGRAM" fit official/train --out o.probe
run 0 "$LP_PROGRAM" compare o.probe=official/test o.probe=official/test --chart bars.svg --format json
has '"reported": 80.5'
ok "the reported number is drawn" grep -qE '>reported<|; reported;' bars.svg
run 0 "$LP_PROGRAM" eval o.probe official/test --report o.html
ok "the page has the reported number" grep -q 'Reported by others: 80.5 %' o.html

# ---- sweep
run 0 "$LP_PROGRAM" sweep train --out sweep --test test --from -4 --to 2 --steps 2
for picture in sweep sweep-peak; do
    ok "$picture.png" is_png sweep/$picture.png - -
    ok "$picture.svg" is_svg sweep/$picture.svg
done
ok "sweep.html is self-contained" is_page sweep/sweep.html
ok "sweep.html has both charts, each for screens and phones" [ "$(grep -c '<svg ' sweep/sweep.html)" = 4 ]
for part in Choice Test Points "How it was made"; do
    ok "sweep.html: $part" grep -q "<h2 id=\"s[0-9]*\">$part</h2>" sweep/sweep.html
done
run 0 "$LP_PROGRAM" sweep train --out narrow --from 0 --to 1 --steps 1
ok "two points have no peak of their own" [ ! -e narrow/sweep-peak.png ]
ok "nor a test" sh -c "! grep -q '>Test<' narrow/sweep.html"

# ---- reproduce
run 0 "$LP_PROGRAM" reproduce --model "$model" --data "$data" --run r
for file in README.md results.json results.csv report.html confusion.png softmax-evaluation.json liblinear-evaluation.json; do
    ok "results/r/$file" [ -s results/r/$file ]
done
ok "confusion.png" is_png results/r/confusion.png - -
ok "report.html is self-contained" is_page results/r/report.html
ok "it says that nothing is known to compare with" grep -q "Reported: nothing is known" results/r/report.html
ok "and shows the mistakes" grep -q '<li><img ' results/r/report.html
cp -r results/r first
run 0 "$LP_PROGRAM" reproduce --model "$model" --data "$data" --run r
ok "run again: the same bytes" diff -r first results/r

# ---- a name that is no picture is refused before the work begins
show "$LP_PROGRAM" eval /nowhere /nowhere --confusion c.jpg
show "$LP_PROGRAM" eval /nowhere /nowhere --mistakes m --data /nowhere
show "$LP_PROGRAM" eval /nowhere /nowhere --report r.htm
show "$LP_PROGRAM" eval /nowhere /nowhere --report .html
show "$LP_PROGRAM" eval /nowhere /nowhere --mistakes m.png
show "$LP_PROGRAM" eval /nowhere /nowhere --data /nowhere
show "$LP_PROGRAM" fewshot /nowhere /nowhere --chart few.pdf
show "$LP_PROGRAM" compare /nowhere=/nowhere /nowhere=/nowhere --chart bars
expect no-picture

# ---- paths that cannot be written
show "$LP_PROGRAM" eval a.probe test --confusion a.probe/c.png
show "$LP_PROGRAM" eval a.probe test --report a.probe/r.html
show "$LP_PROGRAM" eval a.probe test --mistakes a.probe/m.svg --data "$data"
show "$LP_PROGRAM" fewshot train test --shots 1 --draws 1 --chart a.probe/few.png
show "$LP_PROGRAM" compare a.probe=test b.probe=test --chart a.probe/bars.svg
expect unwritable

# ---- a full disk, where one can be made
if mkdir full && mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
    echo old >full/c.png
    show "$LP_PROGRAM" eval a.probe test --confusion full/c.png
    ok "the older file is as it was" grep -qx old full/c.png
    show "$LP_PROGRAM" eval a.probe test --report full/r.html
    ok "nothing under the final name" [ "$(ls full)" = c.png ]
    umount full
else
    skip "full disk" "no tmpfs can be mounted"
fi
expect full-disk
done_testing
