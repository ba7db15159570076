#!/bin/sh
# What stands on the screen while something is fitted: on a terminal one line that is overwritten and
# goes away, elsewhere next to nothing, with --verbose all of it.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 3 --test 3 2>/dev/null || exit 1
data=$scratch/data/cifar-100-binary
cd "$scratch" || exit 1
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split $split --out $split
done

# Runs a command on a terminal of 80 columns and prints what it wrote there: ~ begins a line that is
# overwritten.  Which of a row of such lines are drawn is a matter of time, but for the first and for
# the end, where the line is empty: only these stay.
cat >on_terminal <<'END'
#!/bin/sh
TERM=xterm script -qec "$*" typescript </dev/null >/dev/null
found=$?
printf '%s\n' "$(
    sed '1d; /^Script done/d; s/\r$//; s/^\r.\[K/~/; s/\r.\[K/\n~/g' typescript |
        awk '/^~/ { if (!row) print; last = $0; row++; next }
             { if (row > 1) print last; row = 0; print }'
)"
exit $found
END
chmod +x on_terminal
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    show -n ./on_terminal "$LP_PROGRAM" fit train --out a.probe --max-iterations 3
    show -n ./on_terminal "$LP_PROGRAM" fit train --out a.probe --solver ovr
    show -n ./on_terminal "$LP_PROGRAM" sweep train --from -1 --to 0 --steps 1 --out swept
    show -n ./on_terminal "$LP_PROGRAM" fit train --out a.probe --quiet
    expect terminal
else
    skip "the line on a terminal" "script(1) is missing"
fi

# ---- without a terminal: a line every ten seconds, of which there is none here, or everything
run 0 "$LP_PROGRAM" fit train --out a.probe
ok "nothing is said of a short fit" [ ! -s stderr ]
run 0 "$LP_PROGRAM" sweep train --from -1 --to 0 --steps 1 --out short
ok "nothing is said of a short sweep" [ ! -s stderr ]
show -e -n "$LP_PROGRAM" fit train --out a.probe --verbose --tol 0.1
show -e -n "$LP_PROGRAM" fit train --out a.probe --verbose --tol 0.1 --solver ovr
show -e -n "$LP_PROGRAM" sweep train --from -1 --to 0 --steps 1 --tol 0.1 --out again --verbose
show -e -n "$LP_PROGRAM" fewshot train test --shots 1 --draws 2 --verbose --solver liblinear
expect log

done_testing
