#!/bin/sh
# Manual pages and completions are made from the tables of options: every option of every command
# stands in them, and the shells take them.
. "$LP_SOURCE/tests/support/tap.sh"
commands=$("$LP_PROGRAM" help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
ok "there are commands" [ "$(echo "$commands" | wc -l)" -ge 10 ]
cd "$scratch" || exit 1
for shell in bash zsh fish; do
    "$LP_PROGRAM" help --completion $shell >linprobe.$shell
done
"$LP_PROGRAM" help --man >linprobe.1
for command in $commands; do
    run 0 "$LP_PROGRAM" help --man "$command"
    cp stdout "linprobe-$command.1"
    ok "$command is in the page of the program" grep -q "linprobe.-$command " linprobe.1
    # the options that --help lists: a letter and a name, or one of them
    "$LP_PROGRAM" "$command" --help | sed -n 's/^  \(    \)\{0,1\}\(-[-A-Za-z].*\)/\2/p' | sed 's/   *.*//' | tr -s ' ,' '\n' | sed -n '/^--*[A-Za-z]/p' | sort -u >options
    ok "$command has options" [ "$(wc -l <options)" -ge 4 ]
    sed 's/\\-/-/g; s/\\f[BRI]/ /g' "linprobe-$command.1" | tr -s ' ,' '\n' | sort -u >in-page
    ok "$command: its page has them all" sh -c "! comm -23 options in-page | grep ."
    sed -n "s/^ *$command) words='\(.*\)' ;;/\1/p" linprobe.bash | tr ' ' '\n' | sort -u >in-bash
    ok "$command: bash knows them all" sh -c "! comm -23 options in-bash | grep ."
    sed -n "/^    $command) _arguments/,/;;/p" linprobe.zsh | sed -n 's/^        {*\([-A-Za-z0-9,]*\).*/\1/p' | tr ',' '\n' | sort -u >in-zsh
    ok "$command: zsh knows them all" sh -c "! comm -23 options in-zsh | grep ."
    grep "subcommand_from $command'" linprobe.fish | sed -n 's/.* -l \([a-z0-9-]*\).*/--\1/p; s/.*'"'"' -s \(.\) .*/-\1/p' >fish-words
    grep "subcommand_from $command'" linprobe.fish | sed -n 's/^[^-]*-c linprobe -n [^ ]* [^ ]* -s \(.\) .*/-\1/p' >>fish-words
    sort -u fish-words >in-fish
    ok "$command: fish knows them all" sh -c "! comm -23 options in-fish | grep ."
done

# ---- the pages are correct roff, the scripts are correct
if command -v mandoc >/dev/null; then
    ok "mandoc takes the pages" sh -c "! mandoc -T lint -W error *.1 | grep ."
else
    skip "mandoc takes the pages" "no mandoc"
fi
if man --version 2>/dev/null | grep -q man; then
    for page in *.1; do
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -l -Z "$page" >/dev/null 2>>warnings
    done
    ok "man warns of nothing" [ ! -s warnings ]
else
    skip "man warns of nothing" "no man of man-db"
fi
for shell in bash zsh fish; do
    if command -v $shell >/dev/null; then
        run 0 $shell -n linprobe.$shell
    else
        skip "$shell takes its script" "no $shell"
    fi
done

# ---- bash completes a command, an option, and a value
if command -v bash >/dev/null; then
    # completes WORD...: what the last word becomes
    # shellcheck disable=SC2016 # it is bash that expands
    completes() {
        run 0 bash -c 'compopt() { :; }; . ./linprobe.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _linprobe; printf "%s\n" "${COMPREPLY[@]}"' - "$@"
    }
    completes linprobe ext
    ok "a command" [ "$(cat stdout)" = extract ]
    completes linprobe fit --sol
    ok "an option" [ "$(cat stdout)" = --solver ]
    completes linprobe fit --solver soft
    ok "a value" [ "$(cat stdout)" = softmax ]
    completes linprobe fit --solver = lib
    ok "a value behind =" [ "$(cat stdout)" = liblinear ]
    touch photograph.png
    completes linprobe eval photo
    ok "a file" [ "$(cat stdout)" = photograph.png ]
else
    skip "bash completes" "no bash"
fi

# ---- wrong words
run 1 "$LP_PROGRAM" help --man nothing
says "unknown command 'nothing'"
run 1 "$LP_PROGRAM" help --completion tcsh
says "expected bash, zsh or fish, found 'tcsh'"

# ---- packages
case $LP_PROGRAM in
*/build/linprobe)
    if command -v dpkg-deb >/dev/null && command -v dpkg-shlibdeps >/dev/null; then
        run 0 make -C "$LP_SOURCE" deb MAKEFLAGS=
        set -- "$LP_SOURCE"/build/deb/*.deb
        ok "three packages" [ $# = 3 ]
        set -- "$LP_SOURCE"/build/deb/linprobe_*.deb
        program=$1
        run 0 dpkg-deb --field "$program" Depends
        has libopenblas0
        has libcairo2
        run 0 dpkg-deb --contents "$program"
        has ./usr/bin/linprobe
        has ./usr/share/man/man1/linprobe-extract.1.gz
        mkdir unpacked && dpkg-deb -x "$program" unpacked
        run 0 unpacked/usr/bin/linprobe --version
        if command -v lintian >/dev/null; then
            run 0 lintian --allow-root --fail-on error,warning "$LP_SOURCE"/build/deb/*.deb
        else
            skip "lintian finds nothing" "no lintian"
        fi
    else
        skip "Debian packages" "no dpkg-dev"
    fi
    ;;
*) skip "Debian packages" "a sanitizer's build is not packed" ;;
esac
done_testing
