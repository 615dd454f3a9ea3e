# Qiao: one Makefile, no configure step. `make help` lists the targets.
#
# Everything that is built lies under build/<variant>/: release (default), or san-<sanitizers> with SAN=address,undefined.
# Sources are listed by library, so that the layers can be read here; tests are found by wildcard.

.DEFAULT_GOAL := all
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

CC := gcc
AR := ar
comma := ,
SAN ?=
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
B := build/$(VARIANT)
DEVELOPER ?= $(if $(CI),1,)

# ---- what belongs to what, lowest layer first -------------------------------------------------------------------------
base_SRC := err buf str fs secret ini text texts_clerk texts_operator table date clock log counters conf role
crypto_SRC := digest identity keyring destroy ids audit audit_read operator
domain_SRC := cell csv citizen_id money policy calendar village row eligibility gates payment reconcile mask
events_SRC := schema check types pinned arena bind codec events operation
store_SRC := store
bus_SRC := topics crc32 batch bus kafka kafka_conf kafka_event kafka_write kafka_read kafka_group kafka_plan kafka_admin kafka_topics kafka_check local local_file local_read local_write local_groups local_keep local_backup
http_SRC := client registry_cache registry_client registry
ledger_SRC := schema cache column ledger submissions decls people stats outbox adopted read operations past cuts plans books rejects reversals links
flow_SRC := reference emit answers intake plans persons filing corrections operations reconcile contributions collections waiting adopt flow rejects reversals
cli_SRC := main common supervisor run check config keygen data init files submit health status rejects audit backup adopt topics statement statement_grid statement_xlsx trace schemas operate operations person cut release effect reconcile reconcile_file differences case keys
common_SRC := adapter peer feed pass jsonin jsonout books
village_SRC := main inbox take take_cover claim place refusal tell cover plan posting spool meta submissions decode csv head roster publish answers \
	listen render answer_file own
tax_SRC := main share window plan ask send answer follow publish
ssa_SRC := main work enquiries status changes feedback credits statistics
agencies_SRC := json_in json_out idindex rowset faults refusals population options feed book server plants tax_book tax_batch tax_reversals tax_tell tax_account \
	ssa_book ssa_persons ssa_accounts ssa_statistics ssa_ledger \
	odd tax_odd
testlib_SRC := event_gen fault_vfs sim flow_world script_server registry_sim adapter_rig people roster_form story rosters world printed outcomes books tale recount bulk load proxy \
	java kafka kafka_certs kafka_registry kafka_client kafka_rights which_bus consumer \
	findings watch planted district year year_check year_books

LAYERS := base crypto domain events store bus http ledger flow
ADAPTERS := common village tax ssa
-include Makefile.local

src = $(addprefix $(2)/,$(addsuffix .c,$($(1)_SRC)))
$(foreach l,$(LAYERS) cli,$(eval $(l)_FILES := $(call src,$(l),gateway/$(l))))
$(foreach a,$(ADAPTERS),$(eval $(a)_FILES := $(call src,$(a),adapters/$(a))))
agencies_FILES := $(call src,agencies,tests/agencies)
testlib_FILES := $(call src,testlib,tests/lib)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

# ---- flags --------------------------------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-align -Wwrite-strings \
	-Wvla -Wformat=2 -Wno-format-nonliteral -Wundef $(if $(DEVELOPER),-Werror)
HARDEN := $(if $(SAN),,-D_FORTIFY_SOURCE=2 -fstack-clash-protection -fcf-protection) -fstack-protector-strong -fPIE
CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer $(HARDEN) $(WARN) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
CPPFLAGS := -Igateway -I.
LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN))
pkg = $(shell pkg-config --libs $(1) 2>/dev/null)

# What a program links: only the layers it stands on, and of foreign libraries only those (--as-needed drops the rest).
lib = $(foreach l,$(1),$(B)/lib/lib$(l).a)
GATEWAY_LIBS := $(call lib,flow http ledger bus store events domain crypto base)
ADAPTER_LIBS := $(call lib,common flow http bus store events domain crypto base)
ALL_LIBS := $(call lib,testlib common flow http ledger bus store events domain crypto base)
EXT_GATEWAY = $(call pkg,sqlite3 avro-c libcrypto jansson libcurl rdkafka)
EXT_ADAPTER = $(EXT_GATEWAY)
EXT_ALL = $(EXT_ADAPTER) $(call pkg,libmicrohttpd rdkafka) -lm

PROGRAMS := $(addprefix $(B)/bin/,qiao qiao-gateway qiao-gateway-standby qiao-village qiao-tax qiao-ssa)
AGENCY_PROGRAMS := $(addprefix $(B)/bin/,$(patsubst tests/agencies/%_main.c,sim-%,$(wildcard tests/agencies/*_main.c)))
DATA_PROGRAMS := $(patsubst tests/data/%.c,$(B)/bin/%,$(wildcard tests/data/*.c))

DEPS := gcc libc6-dev make pkg-config libsqlite3-dev libavro-dev libcurl4-openssl-dev libssl-dev libjansson-dev \
	libmicrohttpd-dev librdkafka-dev libxlsxwriter-dev libcmocka-dev python3 python3-venv
# For a real broker and a real registry; tests only.
DEPS_KAFKA := openjdk-17-jre-headless maven kcat openssl

.PHONY: all help deps deps-kafka lint format clean demo test bench ci-deps agencies
all: $(PROGRAMS) ## build the programs (build/release/bin)

agencies: $(AGENCY_PROGRAMS) $(DATA_PROGRAMS)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make SAN=address,undefined test   the same tests under sanitizers"
	@echo "  make test T=name                  one test, e.g. T=test_money or T=crash"

deps: ## install what is missing of the Debian packages (by name, with sudo where not root)
	@tests/lib/deps.sh $(DEPS)
deps-kafka: deps
	@tests/lib/deps.sh $(DEPS_KAFKA)

# ---- compiling ----------------------------------------------------------------------------------------------------------
# Objects depend on this file, which changes only when the flags do.
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS)' > $@
FORCE:

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# The schemas are taken into this object by the assembler, which -MMD does not see.
$(B)/obj/gateway/events/pinned.o: $(wildcard schemas/*.avsc)

define library
$(B)/lib/lib$(1).a: $(call obj,$($(1)_FILES)) Makefile
	@mkdir -p $$(@D); rm -f $$@; $(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(foreach l,$(LAYERS) $(ADAPTERS) testlib agencies,$(eval $(call library,$(l))))

link = @mkdir -p $(@D); echo "  LD   $@"; $(CC) $(CFLAGS) $(LDFLAGS) $(LDEXTRA) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(B)/bin/qiao: $(call obj,$(cli_FILES)) $(call lib,flow http ledger bus store events domain crypto base)
	$(link) $(EXT_GATEWAY) $(call pkg,jansson xlsxwriter)
$(B)/bin/qiao-gateway: $(call obj,gateway/main.c) $(GATEWAY_LIBS)
	$(link) $(EXT_GATEWAY)
# A second gateway under a name of its own: what [run] programs, status file and log call the hot stand-by.
$(B)/bin/qiao-gateway-standby: $(B)/bin/qiao-gateway
	@ln -sf $(<F) $@
$(B)/bin/qiao-village: $(call obj,$(village_FILES)) $(call lib,common flow http bus store events domain crypto base)
	$(link) $(EXT_GATEWAY) $(call pkg,jansson)
$(B)/bin/qiao-tax: $(call obj,$(tax_FILES)) $(ADAPTER_LIBS)
	$(link) $(EXT_ADAPTER)
$(B)/bin/qiao-ssa: $(call obj,$(ssa_FILES)) $(ADAPTER_LIBS)
	$(link) $(EXT_ADAPTER)
$(B)/bin/sim-%: $(B)/obj/tests/agencies/%_main.o $(call lib,agencies store crypto base)
	$(link) $(call pkg,sqlite3 libcrypto libmicrohttpd jansson)
$(DATA_PROGRAMS): $(B)/bin/%: $(B)/obj/tests/data/%.o $(ALL_LIBS)
	$(link) $(EXT_ALL)

# ---- tests --------------------------------------------------------------------------------------------------------------
# A test may ask for the linker's --wrap with a comment in its first lines:  /* WRAP: write fsync */
# and for objects of programs with:  /* LINK: adapters/village/reader.o */
UNIT := $(patsubst tests/%.c,$(B)/test/%,$(wildcard tests/unit/test_*.c tests/fault/test_*.c))
SCENARIO := $(patsubst tests/scenario/%.c,$(B)/test/scenario/%,$(wildcard tests/scenario/*.c))
KAFKA_TESTS := $(patsubst tests/kafka/%.c,$(B)/test/kafka/%,$(wildcard tests/kafka/test_*.c))
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
wraps = $(addprefix -Wl$(comma)--wrap=,$(shell sed -n '1,8s@.*/\* WRAP: \(.*\) \*/.*@\1@p' $(1)))
links = $(addprefix $(B)/obj/,$(shell sed -n '1,8s@.*/\* LINK: \(.*\) \*/.*@\1@p' $(1)))

.SECONDEXPANSION:
$(B)/test/unit/% $(B)/test/fault/% $(B)/test/kafka/%: LDEXTRA = $(call wraps,$(patsubst $(B)/test/%,tests/%.c,$@))
$(UNIT): $(B)/test/%: $(B)/obj/tests/%.o $$(call links,tests/$$*.c) $(ALL_LIBS)
	$(link) $(call pkg,cmocka) $(EXT_ALL)
$(SCENARIO): $(B)/test/scenario/%: $(B)/obj/tests/scenario/%.o $(ALL_LIBS)
	$(link) $(call pkg,cmocka) $(EXT_ALL)
$(KAFKA_TESTS): $(B)/test/kafka/%: $(B)/obj/tests/kafka/%.o $(ALL_LIBS)
	$(link) $(call pkg,cmocka) $(EXT_ALL)
$(BENCH): $(B)/bench/%: $(B)/obj/tests/bench/%.o $(ALL_LIBS)
	$(link) $(call pkg,cmocka) $(EXT_ALL)

T ?=
test: deps-kafka ## run the tests (T=name runs one); SAN=address,undefined under sanitizers
	@$(MAKE) --no-print-directory test-run
	@$(if $(T)$(SAN),,$(MAKE) --no-print-directory test-on-kafka)
test-kafka: deps-kafka ## only the tests of what a real broker and registry can do (tests/kafka)
	@$(MAKE) --no-print-directory test-kafka-run
QIAO_STEPS ?= 1000000
soak: deps ## a long random life of the gateway, all rules looked at after each few steps (QIAO_STEPS=1000000, QIAO_SEED=n): minutes
	@$(MAKE) --no-print-directory $(B)/test/unit/test_flow_property
	@QIAO_STEPS=$(QIAO_STEPS) $(B)/test/unit/test_flow_property
.PHONY: soak test-run test-kafka test-kafka-run test-on-kafka bench-run demo-run
# Every scenario runs on brokers as it runs on the local bus; all share one broker, under names of their own.
test-on-kafka: $(PROGRAMS) $(AGENCY_PROGRAMS) $(DATA_PROGRAMS) $(SCENARIO)
	@tests/kafka/fetch.sh
	@echo "  BUS=kafka from here on"
	@BUS=kafka QIAO_KINDS=scenario QIAO_KILLS=$${QIAO_KILLS:-40} QIAO_BUILD=$(B) $(B)/bin/kafka_run -- tests/lib/run-tests.sh $(T)
test-run: $(PROGRAMS) $(AGENCY_PROGRAMS) $(DATA_PROGRAMS) $(UNIT) $(SCENARIO) $(KAFKA_TESTS)
	@QIAO_BUILD=$(B) tests/lib/run-tests.sh $(T)
test-kafka-run: $(PROGRAMS) $(AGENCY_PROGRAMS) $(DATA_PROGRAMS) $(KAFKA_TESTS)
	@QIAO_BUILD=$(B) QIAO_KINDS=kafka tests/lib/run-tests.sh $(T)

BUS ?= local
export BUS
demo: deps $(if $(filter kafka,$(BUS)),deps-kafka) ## the whole way with simulated agencies (state in build/demo); BUS=kafka on a real broker, read by a consumer of the SSA's own
	@$(MAKE) --no-print-directory demo-run
demo-run: $(PROGRAMS) $(AGENCY_PROGRAMS) $(DATA_PROGRAMS)
	@$(if $(filter kafka,$(BUS)),tests/kafka/fetch.sh && tests/lib/venv.sh && $(B)/bin/kafka_run -r -- )$(B)/bin/demo build/demo

N ?= 100000
bench: deps $(if $(filter kafka,$(BUS)),deps-kafka) ## figures: N rows (default 100000) and 10 N through the whole way; BUS=kafka on a real broker
	@$(MAKE) --no-print-directory bench-run
bench-run: $(PROGRAMS) $(AGENCY_PROGRAMS) $(DATA_PROGRAMS) $(BENCH)
	@QIAO_BUILD=$(B) tests/bench/run.sh $(N)

SECONDS ?= 30
.PHONY: fuzz
fuzz: deps ## fuzz the parsers of outside bytes under sanitizers (SECONDS=30 each, T=event one of them)
	@tests/lib/deps.sh clang libclang-rt-14-dev
	@mkdir -p build/fuzz
	@for f in tests/fuzz/fuzz_$(or $(T),*).c; do n=$$(basename $$f .c); c=tests/fuzz/corpus/$${n#fuzz_}; \
		echo "  FUZZ $$n $(SECONDS) s"; \
		clang -std=c11 -D_GNU_SOURCE -O1 -g -w -fsanitize=fuzzer,address,undefined $(CPPFLAGS) -o build/fuzz/$$n $$f \
			$(base_FILES) $(crypto_FILES) $(domain_FILES) $(events_FILES) \
			$$(sed -n '1,8s@.*/\* LINK: \(.*\) \*/.*@\1@p' $$f | sed 's@\.o@.c@g') $(EXT_GATEWAY); \
		mkdir -p build/fuzz/new-$$n; [ -d $$c ] || c=; \
		build/fuzz/$$n -max_total_time=$(SECONDS) -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/ build/fuzz/new-$$n $$c 2>&1 | grep -E 'number_of_executed|ERROR|SUMMARY' || exit 1; \
	done

lint: ## owners of libraries, layers, banned calls; sizes as warnings
	@tests/lib/lint.sh

format: ## clang-format over all C files (needs the package clang-format)
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean: ## remove build/
	@rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
