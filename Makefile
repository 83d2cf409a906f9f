# SPDX-License-Identifier: BSD-3-Clause
# The commands people type. The build itself is Meson's: build/ is the release build, build/asan the
# one with sanitizers. Programs end in build/bin/, kext bundles in build/kexts/.

export CC = clang
BUILD = build
ASAN = $(BUILD)/asan
FUZZ = $(BUILD)/fuzz
TSAN = $(BUILD)/tsan
SANITIZE = -Ddebug=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
    -Dsanitizer_build=true
TSAN_PROGRAMS = tests/unit/kext-core/test_kext_core_ring_threads tests/unit/kext-core/test_kext_core_ring_transmit \
    tests/unit/host-disk/test_host_disk_disk
PROGRAMS = kextmatch kextrun kextlink hvhost hvctl hvsetup hvshutdownd hvtimesyncd hvfilecopyd hvkeyboardd hvkvpd \
    hvbackupd

.PHONY: all run test tsan kext daemons-macos bench fuzz conformance dist clean
.NOTPARALLEL:

all: packages-build $(BUILD)/build.ninja
	ninja -C $(BUILD) programs
	@$(link-programs)

# Starts the simulated host and the shipped kexts on it, and says what works.
run: packages-run all
	tests/e2e/run

# Everything that can be checked on any machine, with sanitizers.
test: packages-test $(ASAN)/build.ninja
	ninja -C $(ASAN)
	tests/run $(ASAN)

# The tests with threads that ThreadSanitizer can run. The user-space kernel is not among them: its window on
# guest-physical memory, a terabyte of addresses, finds no place beside the sanitizer's own.
tsan: packages-test $(TSAN)/build.ninja
	ninja -C $(TSAN) $(TSAN_PROGRAMS)
	TSAN_OPTIONS=halt_on_error=1:suppressions=$(CURDIR)/tests/tsan/suppressions \
	    tests/run $(TSAN) 'kext-core ring_threads' 'kext-core ring_transmit' 'host-disk/disk'

# The kext bundles for macOS, in build/kexts/.
kext: packages-build $(BUILD)/build.ninja
	ninja -C $(BUILD) kexts

# The daemons as macOS executables, in build/daemons/macos/.
daemons-macos: packages-build $(BUILD)/build.ninja
	ninja -C $(BUILD) daemons-macos

bench: packages-bench all
	ninja -C $(BUILD)
	tests/bench/run

fuzz: packages-fuzz $(FUZZ)/build.ninja
	ninja -C $(FUZZ)
	tests/fuzz/run $(FUZZ)

# Real Linux guests against our host.
conformance: packages-conformance all
	tests/conformance/run

# What users download.
dist: packages-build all kext daemons-macos
	setup/dist

clean:
	rm -rf $(BUILD)

packages-%:
	@tools/install-packages build $(filter-out build,$*)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

$(ASAN)/build.ninja:
	meson setup $(ASAN) $(SANITIZE)

$(TSAN)/build.ninja:
	meson setup $(TSAN) -Ddebug=true -Doptimization=1 -Db_sanitize=thread -Db_lundef=false

$(FUZZ)/build.ninja:
	meson setup $(FUZZ) $(SANITIZE) -Dfuzzer_build=true

# Programs for this machine, that is: not the daemons for macOS.
define link-programs
mkdir -p $(BUILD)/bin; \
for program in $(PROGRAMS); do \
    file=$$(find $(BUILD) \( -path $(ASAN) -o -path $(FUZZ) -o -path $(TSAN) -o -path $(BUILD)/bin -o -path '*/macos' \) -prune -o \
        -type f -perm -u+x -name $$program -print | head -n 1); \
    if [ -n "$$file" ]; then ln -sf "../$${file#$(BUILD)/}" $(BUILD)/bin/$$program; fi; \
done
endef
