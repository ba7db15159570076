#!/bin/sh
# Files from strangers: each is refused with a message that says why, status 1; and what the program
# asks of the system meanwhile is watched (strace): it opens nothing for writing, starts no program,
# opens no socket.
. "$LP_SOURCE/tests/support/tap.sh"
corpus=$LP_SOURCE/tests/fuzz/corpus
cd "$scratch" || exit 1

# ---- pickles, in PyTorch's zip file
for name in system bomb circle deep huge negative stride long-name long-key; do
    cp "$corpus/checkpoint/pickle-$name" "$name.pt"
    show "$LP_PROGRAM" inspect "$name.pt"
done
{ # and in the format of before PyTorch 1.6: magic number, version, system
    printf '\200\002\212\012\154\374\234\106\371\040\152\250\120\031.'
    printf '\200\002M\351\003.'
    printf '\200\002}.'
    cat "$corpus/pickle/system"
} >legacy.pt
show "$LP_PROGRAM" inspect legacy.pt
expect pickles
ok "the command of os.system was not run" [ ! -e HACKED ]

# ---- zip archives
for name in overlapping twice bomb; do
    cp "$corpus/checkpoint/$name" $name.zip.pt
    show "$LP_PROGRAM" inspect $name.zip.pt
done
expect zip

# ---- arrays and JSON
mkdir set
for name in huge negative; do
    cp "$corpus/npy/$name" set/features.npy
    cp "$corpus/npy/i2" set/labels.npy
    show "$LP_PROGRAM" fit set --out p
done
mkdir deep
cp "$corpus/json/deep" deep/meta.json
cp "$corpus/npy/f4" deep/features.npy
show "$LP_PROGRAM" fit deep --out p
expect arrays-json

# ---- tar archives that point elsewhere
mkdir -p cifar-100-binary
ln -s /etc/passwd cifar-100-binary/test.bin
tar -czf link.tar.gz cifar-100-binary
show "$LP_PROGRAM" extract --pixels --data link.tar.gz --split test --out x
rm cifar-100-binary/test.bin
echo outside >cifar-100-binary/test.bin
up=../
mkdir -p below/two
(cd below/two && tar -czPf ../up.tar.gz "$up${up}cifar-100-binary") && mv below/up.tar.gz .
rm cifar-100-binary/test.bin
rmdir cifar-100-binary
show "$LP_PROGRAM" extract --pixels --data up.tar.gz --split test --out x
ok "nothing was unpacked" sh -c "[ ! -e $up${up}cifar-100-binary ] && [ ! -e cifar-100-binary ] && [ ! -e x ]"
expect tar

# ---- watched
if ! command -v strace >/dev/null 2>&1 || ! strace -o trace true 2>/dev/null; then
    skip "system calls" "no strace, or it is not allowed"
elif nm "$LP_PROGRAM" 2>/dev/null | grep -qE '__(asan|tsan|gcov)_'; then
    skip "system calls" "sanitizers and coverage make their own"
else
    calls=execve,fork,vfork,socket,connect,bind,open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmodat,truncate,mknod,mknodat,ptrace
    watched() { # NAME COMMAND...
        what=$1
        shift
        strace -f -qq -e trace=$calls -o trace "$@" >stdout 2>stderr </dev/null
        sed 's/^[0-9]* *//' trace | grep -vE '^(execve\("[^"]*linprobe"|[+-])' |
            grep -vE '^open(at)?\(.*O_RDONLY' | grep -vE '<unfinished|resumed>|^\?\?\?\( <detached' >found # the last: a thread at its end
        cp found stderr
        ok "$what: reads, and nothing else" [ ! -s found ]
        # and it reads nothing but libraries, what the system tells of itself, and the file
        grep -v 'execve(' trace | grep -o '"[^"]*"' | tr -d '"' | sort -u |
            grep -vE '^(/lib|/usr|/etc/ld\.so|/etc/(ssl|gnutls|localtime|crypto|OPENSSL)|/sys/|/proc/|/dev/null|/nix/)' |
            grep -vF "$LP_PROGRAM" | grep -vE "^(\./)?$allowed" >found
        cp found stderr
        ok "$what: opens only what it was given" [ ! -s found ]
    }
    for name in system legacy bomb circle deep; do
        allowed="$name\.pt"
        watched "$name.pt" "$LP_PROGRAM" inspect "$name.pt"
    done
    allowed='bomb\.zip\.pt'
    watched "zip bomb" "$LP_PROGRAM" inspect bomb.zip.pt
    allowed='up\.tar\.gz'
    watched "path traversal" "$LP_PROGRAM" extract --pixels --data up.tar.gz --split test --out x
fi
done_testing
