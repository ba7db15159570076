#!/bin/sh
# The pages in a browser, at the widths of a screen and of a phone, in the light and the dark scheme:
# nothing is wider than the window, no message on the console, and tables sort.
. "$LP_SOURCE/tests/support/tap.sh"
browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v $name)
done
if [ -z "$browser" ]; then
    skip "pages in a browser" "no Chromium"
    done_testing
    exit
fi
cd "$scratch" || exit 1
# a browser that cannot start here (no memory of its own, a sandbox that is forbidden) proves nothing
open_page() { # ARGUMENT... URL: its document after the scripts have run, and its console
    HOME=$scratch "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --timeout=60000 \
        --allow-file-access-from-files --virtual-time-budget=5000 --enable-logging=stderr --dump-dom "$@" 2>console
}
echo '<p id="a">hello</p>' >try.html
if ! open_page "file://$scratch/try.html" | grep -q hello; then
    skip "pages in a browser" "Chromium does not start here"
    done_testing
    exit
fi

# ---- one page of each kind, with long names and names that would break out
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out data --seed 1 --train 4 --test 2 2>/dev/null || exit 1
data=data/cifar-100-binary
long=a_name_that_goes_on_and_on_until_nothing_is_left_of_the_width_of_any_telephone
sed "1s/.*/<script>alert('x')<\/script>/; 2s/.*/$long/" $data/fine_label_names.txt >names && cp names $data/fine_label_names.txt
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data $data --split $split --out $split
done
run 0 "$LP_PROGRAM" fit train --out a.probe
run 0 "$LP_PROGRAM" eval a.probe test --data $data --report eval.html
run 0 "$LP_PROGRAM" sweep train --out sweep --test test --from -4 --to 2 --steps 2
cp "$model" other.safetensors
run 0 "$LP_PROGRAM" compare "$model" "$long=other.safetensors" --activation quick_gelu --data $data --cache cache --out compare
run 0 "$LP_PROGRAM" reproduce --model "$model" --data $data --cache cache --run r

# ---- on paper: A4 with margins of 12 mm is 703 pixels wide
for page in eval sweep/sweep compare/compare results/r/report; do
    sed 's/@media print{/@media all{/; s/@media screen/@media not all/g' $page.html >"$(basename $page)-paper.html"
done

# measure SCHEME NUMBER: every page in frames of both widths, and on paper; prints a line for each that
# says what is wrong
measure() {
    {
        echo '<body>'
        for page in eval.html sweep/sweep.html compare/compare.html results/r/report.html; do
            for width in 1280 390; do
                echo "<iframe src=\"$page\" style=\"width:${width}px;height:900px;border:0\"></iframe>"
            done
            echo "<iframe src=\"$(basename $page .html)-paper.html\" style=\"width:703px;height:900px;border:0\"></iframe>"
        done
        cat <<'HTML'
<pre id="said"></pre><script>
const wrong = page => {
    const faults = [], root = page.documentElement, within = root.clientWidth;
    if (root.scrollWidth > within) faults.push('is ' + root.scrollWidth + ' wide');
    for (const each of page.querySelectorAll('body *')) {
        const right = each.getBoundingClientRect().right;
        if (!each.closest('.scroll, svg *') && right > within + 1) faults.push(each.tagName + ' reaches ' + right);
    }
    const shown = [...page.querySelectorAll('svg')].filter(each => each.getBoundingClientRect().width > 0);
    if (page.querySelector('svg') && shown.length === 0) faults.push('shows no chart');
    return faults;
};
const sorts = page => {
    const faults = [];
    let sorted = 0;
    for (const table of page.querySelectorAll('table')) {
        const head = table.tHead && table.tHead.querySelector('th.n button');
        if (!head) continue;
        const column = head.parentNode.cellIndex, ways = [[], []];
        for (const way of ways) {
            head.click();
            for (const row of table.tBodies[0].rows) way.push(parseFloat(row.cells[column].textContent));
        }
        const numbers = ways.map(way => way.filter(x => !isNaN(x)));
        if (numbers[0].some((x, i) => i > 0 && x > numbers[0][i - 1])) faults.push('does not sort down');
        if (numbers[1].some((x, i) => i > 0 && numbers[1][i - 1] > x)) faults.push('does not sort up');
        sorted++;
    }
    return sorted > 0 ? faults : ['no table sorts'];
};
onload = () => {
    for (const frame of document.querySelectorAll('iframe')) {
        const page = frame.contentDocument, name = frame.getAttribute('src') + ' ' + frame.style.width;
        const ink = page.defaultView.getComputedStyle(page.body).color.match(/[0-9]+/g)[0];
        const line = [name, ink > 128 ? 'dark' : 'light', ...wrong(page), ...sorts(page)].join(', ');
        document.getElementById('said').append(line + '\n');
    }
};
</script>
HTML
    } >frames.html
    open_page --window-size=1400,1000 --blink-settings=preferredColorScheme="$2" "file://$scratch/frames.html" |
        sed -n '/<pre id="said">/,/<\/pre>/p' | sed 's/<[^>]*>//g' | grep 'html ' >"$scratch/stdout"
    grep CONSOLE console >"$scratch/stderr"
    for page in eval sweep/sweep compare/compare results/r/report; do
        for width in 1280 390; do
            ok "$page, $width pixels, $1: all is in the window, tables sort" grep -qx "$page.html ${width}px, $1" "$scratch/stdout"
        done
        ok "$page on paper" grep -qx "$(basename $page)-paper.html 703px, light" "$scratch/stdout"
    done
    ok "$1: nothing on the console" [ ! -s "$scratch/stderr" ]
}
measure light 1
measure dark 0
done_testing
