# linprobe: `make help` says what there is.  V=1 shows the commands.
# The owner of the version number is a public header.
VERSION := $(shell awk '$$2 ~ /^LP_VERSION_(MAJOR|MINOR|PATCH)$$/ { printf "%s%s", dot, $$3; dot = "." }' include/linprobe/version.h)
# Programs that were linked with one version of the shared library run with all of this part of it.
SOVERSION := $(shell echo $(VERSION) | sed 's/^\(0[.][0-9]*\).*/\1/; s/^\([1-9][0-9]*\)[.].*/\1/')
MODE    ?= release
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
PYTHON  ?= python3
BUILD   := build$(if $(filter-out release,$(MODE)),/$(MODE))
CONFIG  := build/config.mk

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
Q := $(if $(V),,@)

# Goals that set up the machine first, or need nothing.
SETUP_GOALS := reproduce demo test setup setup-tests help clean
ifneq ($(filter-out $(SETUP_GOALS),$(or $(MAKECMDGOALS),all)),)
include $(CONFIG)
endif

$(CONFIG): scripts/configure.sh
	@CC='$(CC)' scripts/configure.sh $@

FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_ubsan   := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all
FLAGS_tsan    := -O1 -g -fsanitize=thread
FLAGS_coverage := -O1 -g --coverage -fprofile-update=atomic
FLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ifeq ($(origin FLAGS_$(MODE)),undefined)
$(error MODE=$(MODE): expected release, debug, asan, ubsan, tsan, coverage or fuzz)
endif
MODE_FLAGS := $(FLAGS_$(MODE))
ifneq ($(filter asan ubsan tsan coverage fuzz,$(MODE)),) # they report at exit
MODE_FLAGS += -DLP_SANITIZED=1
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wcast-qual -Wundef -Wvla $(if $(CI),-Werror)
# One set of objects for the program and both libraries.  gcc would otherwise not inline functions
# that a shared library exports.
PIC := -fPIC -fno-semantic-interposition
# -ffp-contract=off: gcc and clang differ in whether they fuse a*b+c.
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(MODE_FLAGS) $(PIC) -pthread -ffp-contract=off $(WARNINGS) \
             -Iinclude -Isrc $(DEP_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(MODE_FLAGS) -pie -pthread $(if $(filter Linux,$(shell uname -s)),-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now$(comma)-z$(comma)noexecstack) $(LDFLAGS)
comma := ,

# The library needs neither cairo nor curl, and never includes the program (make lint).
LIBRARY_FOLDERS := base math ckpt data image feat model probe extract run
PROGRAM_FOLDERS := report fetch draw cli
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(foreach folder,$(1),$(wildcard src/$(folder)/*.c)))
LIBRARY_OBJECTS := $(call objects,$(LIBRARY_FOLDERS))
# One of the two files implements src/cli/ranks.h.
RANKS_ALONE := $(BUILD)/obj/src/cli/ranks_alone.o
RANKS_MPI := $(BUILD)/obj/src/cli/ranks_mpi.o
PROGRAM_OBJECTS := $(filter-out $(RANKS_MPI),$(call objects,$(PROGRAM_FOLDERS)))
LIBRARY := $(BUILD)/liblinprobe.a
# What the tests link of the program; not installed.
PARTS := $(BUILD)/libprogram.a
PROGRAM := $(BUILD)/linprobe
MPI_PROGRAM := $(BUILD)/linprobe-mpi
# The shared library, of formats with sonames and version scripts; not in a sanitizer's build.
ifeq ($(shell uname -s)$(filter-out release debug,$(MODE)),Linux)
SHARED := $(BUILD)/liblinprobe.so
endif

all: $(PROGRAM) $(LIBRARY) $(SHARED)  ## the program and the library (MODE=debug|asan|ubsan|tsan beside release)

# Kernels: loops over numbers, vectorised.  Nobody reads the flags of floating-point exceptions; to
# keep them, gcc would make branches of a choice between two values, as in GELU.  Values are the
# same.  On Arm, gcc's first scheduling would move loads ahead until the sums of src/math/neon.h no
# longer fit into the registers.
KERNEL_FLAGS := -O3 -fno-trapping-math $(if $(filter aarch64%,$(shell $(CC) -dumpmachine)),$(if $(findstring clang,$(shell $(CC) --version)),,-fno-schedule-insns))
$(BUILD)/obj/src/math/%.o $(BUILD)/obj/src/image/%.o $(BUILD)/obj/src/ckpt/tensor_index.o: MODE_FLAGS += $(if $(filter release,$(MODE)),$(KERNEL_FLAGS))

$(BUILD)/obj/%.o: %.c $(CONFIG) Makefile
	@mkdir -p $(@D)
	@echo 'CC $<'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The commit, for --version --verbose: a file that is written anew only when it changes.
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@{ [ -e .git ] && git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown; } >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(BUILD)/obj/src/cli/about.o: $(BUILD)/commit
$(BUILD)/obj/src/cli/about.o: MODE_FLAGS += -DLP_COMMIT='"$(shell cat $(BUILD)/commit)"'

$(LIBRARY): $(LIBRARY_OBJECTS)
$(PARTS): $(filter-out $(BUILD)/obj/src/cli/%,$(PROGRAM_OBJECTS))
$(LIBRARY) $(PARTS):
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/exports.map: scripts/exports.sh $(wildcard include/linprobe/*.h)
	@mkdir -p $(@D)
	$(Q)scripts/exports.sh $(wildcard include/linprobe/*.h) >$@

# The build keeps it under its soname, too, so that programs find it beside them.
$(BUILD)/liblinprobe.so: $(LIBRARY_OBJECTS) $(BUILD)/exports.map
	@echo 'LD $@'
	$(Q)$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) -shared -Wl,-soname,liblinprobe.so.$(SOVERSION) \
	    -Wl,--version-script=$(BUILD)/exports.map -Wl,-z,defs $(LIBRARY_OBJECTS) $(LIBRARY_LIBS) -o $@
	$(Q)ln -sf liblinprobe.so $@.$(SOVERSION)

$(PROGRAM): $(PROGRAM_OBJECTS) $(LIBRARY)
	@echo 'LD $@'
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBRARY_LIBS) $(PROGRAM_LIBS) -o $@

# The same program on the ranks of a job, by any MPI: MPICC='mpicc.mpich', or MPI_MODULE= of pkg-config.
MPICC ?= $(shell command -v mpicc)
MPI_MODULE ?= $(shell for m in ompi-c mpich mpi-c; do pkg-config --exists $$m && echo $$m && break; done)
MPI_CC = $(if $(MPICC),OMPI_CC='$(CC)' MPICH_CC='$(CC)' $(MPICC),$(CC) $(shell pkg-config --cflags $(MPI_MODULE)))
MPI_LIBS = $(if $(MPICC),,$(shell pkg-config --libs $(MPI_MODULE)))

mpi: $(MPI_PROGRAM)  ## build/linprobe-mpi: the same program over the ranks of an MPI job (mpirun, srun)

$(RANKS_MPI): src/cli/ranks_mpi.c $(CONFIG) Makefile
	@mkdir -p $(@D)
	@[ -n "$(MPICC)$(MPI_MODULE)" ] || { echo "make mpi: no MPI found (mpicc, or pkg-config's ompi-c or mpich): apt-get install libopenmpi-dev openmpi-bin" >&2; exit 1; }
	@echo 'CC $<'
	$(Q)$(MPI_CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(MPI_PROGRAM): $(filter-out $(RANKS_ALONE),$(PROGRAM_OBJECTS)) $(RANKS_MPI) $(LIBRARY)
	@echo 'LD $@'
	$(Q)$(MPI_CC) $(ALL_LDFLAGS) $^ $(LIBRARY_LIBS) $(PROGRAM_LIBS) $(MPI_LIBS) -o $@

# ---- set-up -----------------------------------------------------------------------------------

setup:  ## installs what the build needs (root or passwordless sudo; else says what to run)
	@CC='$(CC)' scripts/configure.sh --install $(CONFIG)

setup-tests:
	@CC='$(CC)' scripts/configure.sh --install --tests $(CONFIG)

# ---- the main job -----------------------------------------------------------------------------

reproduce: setup  ## CIFAR-100 linear probe of CLIP ViT-B/32: downloads, extracts, trains, scores
	@$(MAKE) --no-print-directory all
	$(PROGRAM) reproduce $(ARGS)

demo: setup  ## the whole pipeline within a minute, without a download: our own small CLIP, drawn pictures
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh $(PROGRAM) $(BUILD)/demo results/demo

# ---- tests ------------------------------------------------------------------------------------

UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_PROGRAMS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/tests/%)
SUPPORT_SOURCES := $(wildcard tests/support/*.c)
SUPPORT_PROGRAMS := $(SUPPORT_SOURCES:tests/support/%.c=$(BUILD)/tests/%)
# The benchmarks' programs; the parity tests of the probe use fit_npy.
BENCH_PROGRAMS := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
# Fuzz targets: with MODE=fuzz (clang) fuzzers, otherwise programs that replay the committed corpus.
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_PROGRAMS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/tests/%)
FAULTS := $(if $(filter Linux,$(shell uname -s)),$(patsubst tests/faults/%.c,$(BUILD)/tests/%.so,$(wildcard tests/faults/*.c)))
CLI_TESTS := $(wildcard tests/cli/*.sh)
PARITY_TESTS := $(wildcard tests/parity/test_*.py)
# Narrow a run: make test TESTS='build/tests/test_pickle tests/cli/inspect.sh'
TESTS ?= $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(CLI_TESTS) $(PARITY_TESTS)

test: setup-tests  ## all tests that need no download (parity tests: PYTHON=... with torch, Pillow, scikit-learn)
	@$(MAKE) --no-print-directory check

check: $(PROGRAM) $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(SUPPORT_PROGRAMS) $(BENCH_PROGRAMS) $(FAULTS)  ## the tests, without set-up
	@CMOCKA_MESSAGE_OUTPUT=TAP LP_PROGRAM='$(CURDIR)/$(PROGRAM)' LP_TESTS='$(CURDIR)/$(BUILD)/tests' \
	    LP_SOURCE='$(CURDIR)' PYTHON='$(PYTHON)' prove --exec tests/run $(PROVE_FLAGS) $(TESTS)

# 64-bit Arm under QEMU; in short, or ARM64_TESTS=all.
ARM64_TESTS := test_linear test_linear_bfloat16 test_linear_int8 test_attention test_conv test_winograd test_math test_logistic test_same_bytes
test-arm64:  ## kernels and encoders, cross-built for 64-bit Arm, under qemu-user (ARM64_TESTS=all: every unit test)
	@scripts/test_arm64.sh $(ARM64_TESTS)

# The tests of what runs on several threads, for ThreadSanitizer.
PARALLEL_TESTS := $(addprefix $(BUILD)/tests/,test_base test_read_parts test_encoder test_resnet test_extract test_run test_dense test_solver_dense test_sweep test_knn test_generate)
check-parallel:
	@$(MAKE) --no-print-directory check TESTS='$(PARALLEL_TESTS)'

# _XOPEN_SOURCE: nftw, which removes the scratch folders.
$(BUILD)/tests/%: tests/unit/%.c tests/support/check.h $(PARTS) $(LIBRARY) $(CONFIG)
	@mkdir -p $(@D)
	@echo 'LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(CMOCKA_CFLAGS) -D_XOPEN_SOURCE=700 -Itests/support \
	    -DLP_TEST_DATA='"$(CURDIR)/tests"' -MMD -MP $(ALL_LDFLAGS) $< $(PARTS) $(LIBRARY) $(CMOCKA_LIBS) \
	    $(LIBRARY_LIBS) $(PROGRAM_LIBS) -o $@

$(BUILD)/tests/%: tests/support/%.c $(PARTS) $(LIBRARY) $(CONFIG)
	@mkdir -p $(@D)
	@echo 'LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) $< $(PARTS) $(LIBRARY) $(LIBRARY_LIBS) $(PROGRAM_LIBS) -o $@

$(BUILD)/tests/%.so: tests/faults/%.c $(CONFIG)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O1 -Wall -Wextra -fPIC -shared $< -o $@ -ldl

$(BUILD)/tests/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(wildcard tests/fuzz/*.h) $(LIBRARY) $(CONFIG)
	@mkdir -p $(@D)
	@echo 'LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) -DLP_FUZZ_CORPUS='"$(CURDIR)/tests/fuzz/corpus"' $(ALL_LDFLAGS) $< \
	    $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer,tests/fuzz/replay.c) $(LIBRARY) $(LIBRARY_LIBS) -o $@

fuzz-programs: $(FUZZ_PROGRAMS)

# The fuzzers, one after the other: make fuzz TARGET='pickle npy' TIME=600 (seconds each; or RUNS=1000000).
fuzz:  ## TARGET=NAME TIME=SECONDS: the parsers under libFuzzer, ASan and UBSan (needs clang)
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzz-programs
	@TIME='$(TIME)' RUNS='$(RUNS)' scripts/fuzz.sh $(TARGET)

coverage:  ## lines and branches that the tests reach, by folder (needs gcovr; ARGS=FILE...: what they do not)
	@rm -f build/coverage/obj/src/*/*.gcda
	@$(MAKE) --no-print-directory MODE=coverage check
	@scripts/coverage.sh $(ARGS)

bench: bench-probe bench-encoder  ## both benchmarks, interleaved with their peers (PYTHON=... with NumPy, scikit-learn, torch, open_clip, timm, openvino)

bench-probe: all $(BUILD)/bench/fit_npy  ## solvers and a sweep against scikit-learn and liblinear
	$(PYTHON) bench/bench_probe.py --program $(PROGRAM) --fit $(BUILD)/bench/fit_npy --sweep $(ARGS)

bench-race: all $(BUILD)/bench/fit_npy  ## softmax against every peer at its best (ARGS='--features DIR --out results/bench/race')
	$(PYTHON) bench/bench_race.py --fit $(BUILD)/bench/fit_npy $(ARGS)

bench-encoder: all $(BENCH_PROGRAMS)  ## encoders against PyTorch and OpenVINO, images against Pillow: more than an hour
	$(PYTHON) bench/bench_encoder.py --build $(BUILD) $(ARGS)

$(BUILD)/bench/%: bench/%.c $(PARTS) $(LIBRARY) $(CONFIG)
	@mkdir -p $(@D)
	@echo 'LD $@'
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) $< $(PARTS) $(LIBRARY) $(LIBRARY_LIBS) $(PROGRAM_LIBS) -o $@

lint:  ## clang-format, clang-tidy, cppcheck, shellcheck, layers, headers (those that are installed)
	@CFLAGS='$(ALL_CFLAGS)' scripts/lint.sh

# ---- manual pages and completions: by the program, from its tables of options ------------------

SHARE := $(BUILD)/share
# Debian's zsh looks in zsh/vendor-completions.
ZSH_FOLDER ?= zsh/site-functions
$(SHARE)/made: $(PROGRAM)
	@rm -rf $(SHARE)
	@mkdir -p $(SHARE)/man
	$(Q)$(PROGRAM) help --man >$(SHARE)/man/linprobe.1
	$(Q)for command in $$($(PROGRAM) help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'); do \
	    $(PROGRAM) help --man $$command >$(SHARE)/man/linprobe-$$command.1 || exit 1; done
	$(Q)for shell in bash zsh fish; do \
	    $(PROGRAM) help --completion $$shell >$(SHARE)/linprobe.$$shell || exit 1; done
	@touch $@

# ---- installation -----------------------------------------------------------------------------

install: all $(SHARE)/made  ## program, libraries, headers, pkg-config file, manual and completions under PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/linprobe
	install -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(LIBRARY) $(DESTDIR)$(LIBDIR)/
ifdef SHARED
	install -m 644 $(SHARED) $(DESTDIR)$(LIBDIR)/liblinprobe.so.$(VERSION)
	ln -sf liblinprobe.so.$(VERSION) $(DESTDIR)$(LIBDIR)/liblinprobe.so.$(SOVERSION)
	ln -sf liblinprobe.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/liblinprobe.so
endif
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/$(ZSH_FOLDER) \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 644 $(SHARE)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 $(SHARE)/linprobe.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/linprobe
	install -m 644 $(SHARE)/linprobe.zsh $(DESTDIR)$(PREFIX)/share/$(ZSH_FOLDER)/_linprobe
	install -m 644 $(SHARE)/linprobe.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/
	install -m 644 include/linprobe/*.h $(DESTDIR)$(PREFIX)/include/linprobe/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBS@|$(if $(SHARED),,$(LIBRARY_LIBS) -pthread)|' -e 's|@STATIC_LIBS@|$(LIBRARY_LIBS) -pthread|' \
	    scripts/linprobe.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/linprobe.pc

uninstall:  ## removes what install put there
	rm -rf $(DESTDIR)$(PREFIX)/include/linprobe
	rm -f $(DESTDIR)$(PREFIX)/bin/linprobe $(DESTDIR)$(LIBDIR)/liblinprobe.a $(DESTDIR)$(LIBDIR)/liblinprobe.so \
	    $(DESTDIR)$(LIBDIR)/liblinprobe.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/liblinprobe.so.$(VERSION) \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/linprobe.pc $(DESTDIR)$(PREFIX)/share/man/man1/linprobe.1 \
	    $(DESTDIR)$(PREFIX)/share/man/man1/linprobe-*.1 $(DESTDIR)$(PREFIX)/share/$(ZSH_FOLDER)/_linprobe \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/linprobe \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/linprobe.fish

deb: all  ## Debian packages in build/deb (needs dpkg-dev): apt install ./build/deb/linprobe_*.deb
	@rm -rf $(BUILD)/deb
	@$(MAKE) --no-print-directory install DESTDIR='$(CURDIR)/$(BUILD)/deb/installed' PREFIX=/usr \
	    LIBDIR=/usr/lib/$$(dpkg-architecture -qDEB_HOST_MULTIARCH) ZSH_FOLDER=zsh/vendor-completions >/dev/null
	@scripts/deb.sh $(VERSION) $(SOVERSION) $(BUILD)/deb/installed $(BUILD)/deb
	@rm -rf $(BUILD)/deb/installed

clean:  ## removes build/
	rm -rf build

help:  ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1@/p' Makefile | awk -F@ '{ printf "make %-12s %s\n", $$1, $$2 }'

.PHONY: FORCE all mpi setup setup-tests reproduce demo test check check-parallel test-arm64 coverage fuzz fuzz-programs bench bench-probe bench-race bench-encoder lint install uninstall deb clean help
-include $(shell find build -name '*.d' 2>/dev/null)
