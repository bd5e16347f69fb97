# SPDX-License-Identifier: ISC
# Mailstead. `make help` lists the targets. Sources are found by folder: a new
# file in src/, tests/unit/ or tests/fuzz/ needs no line here.

B        ?= build
PREFIX   ?= /usr/local
SYSCONFDIR ?= /etc
V        ?= 0
WERROR   ?= 0
SAN      ?=
VERSION  := $(shell cat VERSION)

-include config.mk

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)

PKGS := libevent libevent_openssl openssl lmdb libzstd libsodium libgsasl \
	jansson libconfuse libseccomp libxxhash libcrypt icu-uc libidn2 libunbound \
	libpsl zlib libcmark libmaxminddb
# Loaded by who needs it (src/net/curl_late.c), not with every process.
LATE_PKGS := libcurl
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(LATE_PKGS) | sed 's/-I/-isystem /g')
PKG_LIBS   := $(shell pkg-config --libs $(PKGS))

CCACHE := $(shell command -v ccache 2>/dev/null)
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -n 1))

WARN := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wwrite-strings \
	-Wpointer-arith -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wswitch-enum -Wimplicit-fallthrough
WARN += $(if $(IS_CLANG),-Wno-gnu-statement-expression,-Wjump-misses-init)
WARN += $(if $(filter 1,$(WERROR)),-Werror)

# Sanitized code is for tests, which build it more often than they run it: what
# compiles and links soonest, with lines in reports.
OPT  ?= $(if $(SAN),$(if $(IS_CLANG),-O0 -gline-tables-only,-O1 -g1),-O2 -g)
LLD  := $(if $(SAN),$(if $(IS_CLANG),$(if $(shell command -v ld.lld),-fuse-ld=lld)))
HARD := -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-fPIE $(if $(IS_CLANG),,-ftrivial-auto-var-init=zero)
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARD += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

CFLAGS_ALL := -std=gnu17 $(OPT) $(WARN) $(HARD) $(SANFLAGS) \
	-fno-strict-aliasing -D_GNU_SOURCE -Isrc -DVERSION='"$(VERSION)"' \
	$(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL := $(LDHARD) $(SANFLAGS) $(LLD) $(LDFLAGS)
LIBS := $(PKG_LIBS) -lm -pthread

SRCS := $(sort $(shell find src -name '*.c'))
OBJS := $(SRCS:%.c=$(B)/%.o)
PROTO_DIRS := $(patsubst src/proto/%/,%,$(sort $(dir $(wildcard src/proto/*/*.c))))

UNIT_SRCS := $(sort $(shell find tests/unit -name '*_test.c'))
UNIT_BINS := $(UNIT_SRCS:%.c=$(B)/%)
FUZZ_SRCS := $(sort $(wildcard tests/fuzz/*_fuzz.c))
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(FUZZ_SRCS))
REPLAY_BINS := $(FUZZ_NAMES:%=$(B)/replay/%)

.PHONY: all
all: $(B)/mailstead

.PHONY: help
help:
	@echo 'all          build $(B)/mailstead (default)'
	@echo 'check        layers, format, manual pages, unit tests, fuzz corpora'
	@echo 'check-e2e    end-to-end tests with real clients on loopback'
	@echo 'check-all    check and check-e2e'
	@echo 'unit         unit tests only; T=proto/smtp for one folder or file'
	@echo 'fuzz         build the libFuzzer targets (clang)'
	@echo 'fuzz-run     run one: make fuzz-run T=imap_framer SEC=60'
	@echo 'replay       replay every fuzz corpus (any compiler)'
	@echo 'asan         unit tests and corpora under ASan and UBSan'
	@echo 'strict       gcc and clang, warnings are errors'
	@echo 'lint         layers, format and manual pages'
	@echo 'format       rewrite the sources with clang-format'
	@echo 'install      DESTDIR, PREFIX (default $(PREFIX)), SYSCONFDIR'
	@echo 'uninstall, clean, distclean, dist, tags, compdb, coverage'
	@echo 'Settings: V=1 shows commands, WERROR=1, SAN=address,undefined, B=dir'

# --- objects and archives --------------------------------------------------

# Truncation bugs live where outsiders' numbers are read.
$(B)/src/base/%.o: CONV := -Wconversion
$(B)/src/proto/%.o: CONV := -Wconversion

# Years of probes and weeks of traffic pass in tests of these.
HOT_DIRS := src/proto/watch tests/unit/proto/watch src/proto/reach src/watch/reach
$(foreach d,$(HOT_DIRS),$(eval $(B)/$(d)/%.o: HOT := $(if $(SAN),-O1)))

$(B)/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && \
	$(CCACHE) $(CC) $(CFLAGS_ALL) $(HOT) $(CONV) -MMD -MP -c $< -o $@

# What the compiler says of the sources, without making code of them.
$(B)/src/base/%.said: CONV := -Wconversion
$(B)/src/proto/%.said: CONV := -Wconversion
$(B)/%.said: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS_ALL) $(CONV) \
	    -MMD -MP -MF $@.d -MT $@ -fsyntax-only $< && touch $@
syntax: $(SRCS:%.c=$(B)/%.said)

# They are part of the program.
$(B)/src/cli/output/help_page.o: man/mailstead.8
$(B)/src/web/api/api_openapi.o: docs/openapi.json

.SECONDARY: $(OBJS)
.PHONY: objects
objects: $(OBJS)

$(B)/libbase.a: $(patsubst %.c,$(B)/%.o,$(wildcard src/base/*.c))
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^

define proto_lib
$(B)/libproto_$(1).a: $(patsubst %.c,$(B)/%.o,$(wildcard src/proto/$(1)/*.c))
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach d,$(PROTO_DIRS),$(eval $(call proto_lib,$(d))))

# Each role is linked by itself and shows the others its entry points only: roles
# cannot call each other, and their names cannot clash. The command line stands
# above them; it takes a copy of what makes password verifiers.
ROLES := store auth smtp imap filter send watch web acme supervisor cli
entry_of = $(if $(filter supervisor,$(1)),supervisor_run,$(1)_main) \
	$(if $(filter watch,$(1)),watch_agent_run watch_agent_enrol)
role_uses = $(if $(filter cli,$(1)),$(B)/librole_auth.a $(B)/librole_store.a $(B)/librole_send.a)
role_objs = $(filter $(B)/src/$(1)/%,$(OBJS))
COMMON_OBJS := $(filter-out $(B)/src/main.o \
	$(foreach r,$(ROLES),$(call role_objs,$(r))),$(OBJS))

$(B)/libcommon.a: $(COMMON_OBJS)
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^

define role_link
$(B)/role_$(1).o: $(call role_objs,$(1)) $(call role_uses,$(1))
	$$(call say,LD,$$@)ld -r -o $$@.tmp $$^ && objcopy \
	    $(foreach e,$(call entry_of,$(1)),--keep-global-symbol=$(e)) $$@.tmp $$@ && rm $$@.tmp
$(B)/librole_$(1).a: $(call role_objs,$(1))
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROLES),$(eval $(call role_link,$(r))))

$(B)/mailstead: $(B)/src/main.o $(ROLES:%=$(B)/role_%.o) $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# --- unit tests: a proto/ test links with its folder and base/ only ----------

$(B)/tests/unit/base/%: $(B)/tests/unit/base/%.o $(B)/libbase.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

# (tools/check-layers, STANDS_ON, allows a folder of proto/ what it needs.)
proto_uses = $(if $(filter arc,$(1)),$(B)/libproto_dkim.a $(B)/libproto_authres.a)
define proto_unit
$(B)/tests/unit/proto/$(1)/%: $(B)/tests/unit/proto/$(1)/%.o $(B)/libproto_$(1).a $(call proto_uses,$(1)) $(B)/libbase.a
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ -lcmocka $$(LIBS)
endef
$(foreach d,$(PROTO_DIRS),$(eval $(call proto_unit,$(d))))
# The suite of RFC 7208 is YAML.
$(B)/tests/unit/proto/spf/spf_suite_test: LIBS += -lyaml
$(B)/tests/unit/proto/arc/arc_suite_test: LIBS += -lyaml
# Contrasts are computed as WCAG has them.
$(B)/tests/unit/proto/feed/badge_test: LIBS += -lm

STORE_KIT := $(patsubst %,$(B)/tests/unit/store/local/%.o,kit faultfs model)
.SECONDARY: $(STORE_KIT)
$(B)/tests/unit/store/local/%: $(B)/tests/unit/store/local/%.o $(STORE_KIT) $(B)/librole_store.a $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

$(B)/tests/unit/store/mail/%: $(B)/tests/unit/store/mail/%.o $(STORE_KIT) $(B)/librole_store.a $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

$(B)/tests/unit/store/queue/%: $(B)/tests/unit/store/queue/%.o $(STORE_KIT) $(B)/librole_store.a $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

$(B)/tests/unit/store/tables/%: $(B)/tests/unit/store/tables/%.o $(STORE_KIT) $(B)/librole_store.a $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

$(B)/tests/unit/store/limit/%: $(B)/tests/unit/store/limit/%.o $(STORE_KIT) $(B)/librole_store.a $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

# Simulations: the queue of the store, and what role send decides about it.
SIM_KIT := $(B)/tests/unit/sim/sim_decide.o
.SECONDARY: $(SIM_KIT)
$(B)/tests/unit/sim/%: $(B)/tests/unit/sim/%.o $(SIM_KIT) $(STORE_KIT) $(B)/librole_store.a $(B)/librole_send.a $(B)/libcommon.a
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

define role_unit
$(B)/tests/unit/$(1)/%: $(B)/tests/unit/$(1)/%.o $(B)/librole_$(1).a $(call role_uses,$(1)) $(B)/libcommon.a
	$$(call say,LD,$$@)mkdir -p $$(@D) && $$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ -lcmocka $$(LIBS)
endef
$(foreach r,$(ROLES),$(eval $(call role_unit,$(r))))

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libcommon.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

# What tests of another language use of ours.
$(B)/tests/tools/mailauth: $(B)/tests/tools/mailauth.o $(B)/libproto_arc.a $(B)/libproto_dkim.a $(B)/libproto_authres.a $(B)/libbase.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(B)/tests/tools/ring: $(B)/tests/tools/ring.o $(B)/libproto_watch.a $(B)/libbase.a
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

.PHONY: unit replay
unit: $(filter $(B)/tests/unit/$(T)%,$(UNIT_BINS))
	$(Q)tools/run-unit $^

# --- fuzz: tests/fuzz/NAME_fuzz.c, corpus in tests/fuzz/corpus/NAME ----------
# The second line of a target names the proto folders it links with:
#  * LINK: smtp
# and, for a pure file outside of proto, an OBJS line names the sources.

fuzz_link = $(patsubst %.c,$(B)/%.o,$(shell sed -n 's/^ \* OBJS: *//p' \
	tests/fuzz/$(1)_fuzz.c)) \
	$(patsubst %,$(B)/libproto_%.a,$(shell sed -n 's/^ \* LINK: *//p' \
	tests/fuzz/$(1)_fuzz.c)) $(B)/libbase.a

define replay_bin
$(B)/replay/$(1): $(B)/tests/fuzz/$(1)_fuzz.o $(B)/tests/fuzz/replay_main.o $(call fuzz_link,$(1))
	$$(call say,LD,$$@)mkdir -p $$(@D) && $$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(LIBS)
endef
$(foreach f,$(FUZZ_NAMES),$(eval $(call replay_bin,$(f))))

replay: $(REPLAY_BINS)
	$(Q)tools/run-replay $^

.PHONY: fuzz fuzz-run
FUZZ_MAKE := $(MAKE) CC=clang B=build-fuzz \
	SAN=address,undefined,fuzzer-no-link OPT='-O2 -g'
fuzz:
	$(FUZZ_MAKE) fuzz-bins
ifneq ($(filter fuzz-bins,$(MAKECMDGOALS)),)
define fuzz_bin
$(B)/fuzz/$(1): $(B)/tests/fuzz/$(1)_fuzz.o $(call fuzz_link,$(1))
	$$(call say,LD,$$@)mkdir -p $$(@D) && $$(CC) $$(LDFLAGS_ALL) -fsanitize=fuzzer -o $$@ $$^ $$(LIBS)
endef
$(foreach f,$(FUZZ_NAMES),$(eval $(call fuzz_bin,$(f))))
endif
.PHONY: fuzz-bins
fuzz-bins: $(if $(T),$(B)/fuzz/$(T),$(FUZZ_NAMES:%=$(B)/fuzz/%))
SEC ?= 60
fuzz-run:
	$(FUZZ_MAKE) fuzz-bins T=$(T)
	mkdir -p build-fuzz/new/$(T) tests/fuzz/corpus/$(T)
	build-fuzz/fuzz/$(T) -max_total_time=$(SEC) -timeout=10 -rss_limit_mb=2048 \
	    $(if $(wildcard tests/fuzz/$(T).dict),-dict=tests/fuzz/$(T).dict) \
	    build-fuzz/new/$(T) tests/fuzz/corpus/$(T)

# --- checks ------------------------------------------------------------------

.PHONY: check check-e2e check-all lint layers format-check man-check strict asan syntax
lint: layers format-check man-check
layers:
	$(Q)tools/check-layers
format-check:
	$(Q)find src tests bench -name '*.[ch]' | xargs clang-format --dry-run -Werror
man-check:
	$(Q)tools/check-man
check: lint unit replay
check-e2e: all
	$(Q)cd tests/e2e && /usr/bin/python3 -m pytest -q $(E2E)
check-all: check check-e2e
asan:
	$(MAKE) B=build-asan SAN=address,undefined unit replay
strict:
	$(MAKE) B=build-gcc CC=gcc WERROR=1 all
	$(MAKE) B=build-clang CC=clang WERROR=1 syntax
.PHONY: coverage
coverage:
	$(MAKE) B=build-cov OPT='-O0 -g --coverage' LDFLAGS=--coverage \
	    unit replay
	tools/coverage build-cov

.PHONY: format tags compdb clean distclean dist install uninstall
format:
	find src tests bench -name '*.[ch]' | xargs clang-format -i
tags:
	ctags -R src
compdb:
	bear -- $(MAKE) -B
clean:
	rm -rf build build-asan build-gcc build-clang build-fuzz build-cov
distclean: clean
	rm -rf demo-data build-peers config.mk tags \
	    compile_commands.json
dist:
	git archive --prefix=mailstead-$(VERSION)/ -o mailstead-$(VERSION).tar.gz HEAD

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man5 \
	    $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8 \
	    $(DESTDIR)$(SYSCONFDIR)/mailstead \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(B)/mailstead $(DESTDIR)$(PREFIX)/sbin/mailstead
	for s in 5 7 8; do for f in man/*.$$s; do [ ! -e $$f ] || \
	    install -m 644 $$f $(DESTDIR)$(PREFIX)/share/man/man$$s/; done; done
	install -m 644 packaging/mailstead.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mailstead
	[ -e $(DESTDIR)$(SYSCONFDIR)/mailstead/mailstead.conf ] || install -m 644 \
	    packaging/mailstead.conf $(DESTDIR)$(SYSCONFDIR)/mailstead/mailstead.conf
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed -e 's|/usr/local|$(PREFIX)|g; s|/etc/mailstead|$(SYSCONFDIR)/mailstead|g' \
	    packaging/mailstead.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/mailstead.service
	sed -e 's|/usr/local|$(PREFIX)|g; s|/etc/mailstead|$(SYSCONFDIR)/mailstead|g' \
	    packaging/mailstead-push.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/mailstead-push.service
	sed -e 's|/usr/local|$(PREFIX)|g' packaging/mailstead-agent.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/mailstead-agent.service
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/mailstead \
	    $(DESTDIR)$(PREFIX)/share/man/man*/mailstead*.[578] \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mailstead \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/mailstead.service \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/mailstead-push.service \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/mailstead-agent.service

-include $(shell [ -d $(B) ] && find $(B) -name '*.d')
