# fold.mk: secondary structures: folding networks trained and scored beside Turner's energies alone and MXfold2's weights.
## Trains a folding network and scores the structures that it gives, beside those of Turner's energies alone (as RNAfold
## has them) and of the published weights of MXfold2.
##
##	make -f pipelines/fold.mk DATA=/path/to/data            a day on two cores; a GPU shortens it
##	make -f pipelines/fold.mk DATA=/path/to/data SMALL=1    minutes, to see that all works
##
## Training sets: tr0 (bpRNA's TR0), rnastralign (the 3,488 of 37,149 RNAs of RNAStrAlign that can be had: partial), all
## (both).  Validation: TV0.  Tests: TS0; archiveII, its RNAs of less than 600 nt; archiveII-unseen, those of them whose
## sequence is not in the training set.  Families of archiveII are in the training sets all the same.
##
## Targets: all, table (prints OUT/table.tsv), pictures, clean (removes OUT).  A run that was killed goes on with the
## stages that are missing; a training from its last validation.
## Results: OUT/table.tsv (F1 of exact pairs, mean over RNAs, 95 % intervals), OUT/TEST/ROW.tsv (all scores, by family),
## OUT/TEST/ROW.rill (structures), OUT/pictures.svg, OUT/ROW/ (the models).
##
## Variables:
DATA ?= ../shared/data  ## folder that holds structure/*.dbn.zst and models/mxfold2-TrainSetAB
TRAIN ?= tr0  ## training set: tr0, rnastralign or all
AUG ?= 0  ## mutated copies of each training RNA
ROWS ?= own fbth  ## networks trained: own (no language model), fbth (on MODEL, frozen)
MODEL ?= $(ROOT)/pipelines/models/tiny  ## language model of the row fbth
OUT ?= build/fold$(if $(SMALL),-small)  ## folder of the results
CONFIG ?= $(if $(SMALL),tiny,base)  ## shape of the network
STEPS ?= $(if $(SMALL),40,54000)  ## optimiser steps, an RNA each
TUNE ?= --schedule constant --lr 1e-3  ## options of rna-train fold
LONGEST ?= $(if $(SMALL),100,600)  ## training RNAs of more nt are left out
WATCH ?= $(if $(SMALL),10,200)  ## RNAs of TV0 that choose the best weights
TEST ?= $(if $(SMALL),20,0)  ## RNAs of each test, drawn at random; 0: all
BOOTSTRAP ?= $(if $(SMALL),100,1000)  ## resamplings behind the intervals
SHOWN ?= 3  ## RNAs of TS0 in the picture
SEED ?= 1  ## of weights, order and draws

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

STRUCTURE = $(DATA)/structure
MXFOLD2 = $(DATA)/models/mxfold2-TrainSetAB
FOLDED = TS0 archiveII
SETS = $(FOLDED) archiveII-unseen
# folded without training; the published weights where they are
GIVEN = turner $(if $(wildcard $(MXFOLD2)/config.json),mxfold2)
SCORES = $(foreach s,$(SETS),$(foreach r,$(GIVEN) $(ROWS),$(OUT)/$(s)/$(r).tsv))
KNOWN_tr0 = $(STRUCTURE)/bprna_TR0.dbn.zst
KNOWN_rnastralign = $(STRUCTURE)/rnastralign_partial.dbn.zst
KNOWN_all = $(KNOWN_tr0) $(KNOWN_rnastralign)
$(if $(KNOWN_$(TRAIN)),,$(error TRAIN=$(TRAIN): not tr0, rnastralign or all))

all: table pictures
table: $(OUT)/table.tsv
	cat $(OUT)/sets.txt
	column -t -s $$'\t' $<
pictures: $(OUT)/pictures.svg
.PHONY: all table pictures clean
.SECONDARY:

# 1. RNAs: letters and known structures
$(OUT)/train.dbn: $(KNOWN_$(TRAIN))
	mkdir -p $(OUT)
	zstd -dcqf $^ > $@

$(OUT)/TV0.dbn $(OUT)/TS0.dbn: $(OUT)/%.dbn: $(STRUCTURE)/bprna_%.dbn.zst
	mkdir -p $(OUT)
	zstd -dcqf $< > $@

$(OUT)/archiveII.dbn: $(STRUCTURE)/archiveII.dbn.zst
	mkdir -p $(OUT)
	zstd -dcqf $< | awk '/^>/ { name = $$0; next } name != "" { seq = $$0; getline; \
		if (length(seq) < 600) printf "%s\n%s\n%s\n", name, seq, $$0; name = "" }' > $@

$(OUT)/archiveII-unseen.dbn: $(OUT)/train.dbn $(OUT)/archiveII.dbn
	awk -f $(ROOT)/pipelines/unseen.awk $^ > $@

$(OUT)/sets.txt: $(OUT)/train.dbn $(SETS:%=$(OUT)/%.dbn)
	for f in $^; do printf '%s: %d RNAs\n' $$(basename $$f .dbn) $$(grep -c '>' $$f); done > $@

# the RNAs that are scored
$(FOLDED:%=$(OUT)/%/known.rill): $(OUT)/%/known.rill: $(OUT)/%.dbn
	mkdir -p $(@D)
	rna-tokenize -q $< $(if $(filter 0,$(TEST)),,| rna-shuf -q -s $(SEED) -n $(TEST)) -o $@

# 2. Training: the copies belong to training RNAs alone
LONGEST_OF = awk -v most=$(LONGEST) '/^>/ { name = $$0; next } name != "" { seq = $$0; getline; \
	if (length(seq) <= most) printf "%s\n%s\n%s\n", name, seq, $$0; name = "" }'

$(OUT)/train.rill: $(OUT)/train.dbn
	$(LONGEST_OF) $< | rna-tokenize -q $(if $(filter 0,$(AUG)),,--mutate $(AUG) -s $(SEED)) | rna-shuf -q -s $(SEED) -o $@

$(OUT)/watch.rill: $(OUT)/TV0.dbn
	$(LONGEST_OF) $< | rna-tokenize -q | rna-shuf -q -s $(SEED) -n $(WATCH) -o $@

FOLD = rna-train fold -q --resume -@ $(THREADS) -s $(SEED) -c $(CONFIG) --steps $(STEPS) --longest $(LONGEST) $(TUNE) \
	--valid $(OUT)/watch.rill
BASE_own = -m none
BASE_fbth = -m $(MODEL) --adapt fbth

$(ROWS:%=$(OUT)/%/trained): $(OUT)/%/trained: $(OUT)/train.rill $(OUT)/watch.rill
	mkdir -p $(@D)
	$(FOLD) $(BASE_$*) -o $(@D) $<
	touch $@

# 3. Structures
$(FOLDED:%=$(OUT)/%/turner.rill): $(OUT)/%/turner.rill: $(OUT)/%/known.rill
	rna-fold -q -@ $(THREADS) -o $@ $<

$(FOLDED:%=$(OUT)/%/mxfold2.rill): $(OUT)/%/mxfold2.rill: $(OUT)/%/known.rill
	rna-predict -q -l 0 -@ $(THREADS) -m $(MXFOLD2) $< | rna-fold -q -@ $(THREADS) | $(SLIM) -o $@

define network
$(FOLDED:%=$(OUT)/%/$(1).rill): $(OUT)/%/$(1).rill: $(OUT)/%/known.rill $(OUT)/$(1)/trained
	rna-predict -q -l 0 -@ $(THREADS) -m $(OUT)/$(1) $$< | rna-fold -q -@ $(THREADS) | $(SLIM) -o $$@
endef
# what is kept of a folded record: not its scores, 12 L^2 bytes
SLIM = rna-view -O dbn | rna-tokenize -q
$(foreach r,$(ROWS),$(eval $(call network,$(r))))

$(OUT)/archiveII-unseen/%.rill: $(OUT)/archiveII/%.rill $(OUT)/train.dbn
	mkdir -p $(@D)
	rna-view -O dbn $< | awk -f $(ROOT)/pipelines/unseen.awk $(OUT)/train.dbn - | rna-tokenize -q -o $@
$(filter $(OUT)/archiveII-unseen/%,$(SCORES)): $(OUT)/archiveII-unseen/known.rill

$(OUT)/%.tsv: $(OUT)/%.rill
	rna-score fold -s $(SEED) --bootstrap $(BOOTSTRAP) --by name:$(if $(filter TS0,$(*D)),2,1) \
		--truth $(OUT)/$(*D)/known.rill -o $@ $<

$(OUT)/table.tsv: $(SCORES) $(OUT)/sets.txt
	awk -f $(ROOT)/pipelines/foldtable.awk $(SCORES) > $@

# 4. A few RNAs of TS0: the known structure, then each prediction
$(OUT)/pictures.svg: $(foreach r,known $(GIVEN) $(ROWS),$(OUT)/TS0/$(r).rill)
	for f in $^; do rna-shuf -q -s $(SEED) -n $(SHOWN) $$f | rna-view -O dbn | \
		awk -v row=$$(basename $$f .rill) '/^>/ { $$0 = $$0 "," row } { print }'; done | \
		paste - - - | sort -s -t, -k1,1 | tr '\t' '\n' | rna-view -O svg -o $@

clean:
	rm -rf $(OUT)
