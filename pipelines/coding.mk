# coding.mk: lncRNA against mRNA, human and mouse: long RNAs in chunks, and cut, against baselines.
## Tells lncRNAs from mRNAs: a pretrained model fine-tuned on RNAs in chunks, the same on their first 508 nt, a model of
## random weights, frozen vectors, 3-mers, the length alone, and a look-up of test RNAs in the training set.
##
##	make -f pipelines/coding.mk DATA=/path/to/data            hours on two cores
##	make -f pipelines/coding.mk DATA=/path/to/data SMALL=1    five minutes, to see that all works
##
## Two protocols.  paper: RNAs as they come, where mRNAs are two to four times longer.  clean: as many of either label in
## every class of length, in training and test alike.  Training and test RNAs are of different chromosomes in both.
## These are not the sets of the paper, which are not public, but sets like them (human: CPAT, mouse: PreLnc).
##
## Targets: all, table (prints OUT/table.tsv), clean (removes OUT).  A run that was killed is continued.
## Results: OUT/table.tsv, OUT/SPECIES.PROTOCOL/MODEL-SEED.tsv (all scores of each).
##
## Variables:
DATA ?= ../shared/data  ## folder that holds sequence/lncRNA/*.fa.zst
OUT ?= build/coding$(if $(SMALL),-small)  ## folder of the results
MODEL ?= $(ROOT)/pipelines/models/tiny  ## pretrained model
SPECIES ?= human mouse  ## sets
RNAS ?= $(if $(SMALL),60,400)  ## training RNAs of each fine-tuning, drawn at random
FROZEN ?= $(if $(SMALL),200,1500)  ## training RNAs of the classifiers that do not fine-tune
TEST ?= $(if $(SMALL),100,400)  ## test RNAs
EPOCHS ?= $(if $(SMALL),1,3)  ## passes over the training RNAs
SEEDS ?= 1  ## of order, dropout and new weights
CHUNKS ?= 6  ## chunks of an RNA that are learnt from; all are predicted
TUNE ?= --batch 4 --lr 5e-4 --dropout 0.1 --attention-dropout 0 --patience 0  ## options of rna-train class
DTYPE ?= bf16  ## of matrix products, in training, vectors and prediction

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

FILE_human = human_cpat
FILE_mouse = mouse_prelnc
PROTOCOLS = paper clean
SETS = $(foreach s,$(SPECIES),$(PROTOCOLS:%=$(s).%))
TUNED = best best-cut random
PLAIN = probe-best probe-best-cut probe-random kmer length lookup

folder = $(if $(filter random%,$(1:probe-%=%)),$(OUT)/random,$(MODEL))
SCORES = $(foreach t,$(SETS),$(foreach v,$(TUNED),$(foreach s,$(SEEDS),$(OUT)/$(t)/$(v)-$(s).tsv)) \
	$(foreach v,$(PLAIN),$(OUT)/$(t)/$(v)-0.tsv))

all: table
table: $(OUT)/table.tsv
	column -t -s $$'\t' $<
.PHONY: all table clean
.SECONDARY:

# 1. RNAs: letters of either protocol, the RNAs that are drawn, and their chunks or beginnings
define SET_RULE
$(OUT)/$(1).paper/%.all.fa: $(DATA)/sequence/lncRNA/$(FILE_$(1)).%.fa.zst
	mkdir -p $$(@D)
	zstd -dcqf $$< > $$@
$(OUT)/$(1).clean/%.all.fa: $(DATA)/sequence/lncRNA/$(FILE_$(1)).%.fa.zst
	mkdir -p $$(@D)
	zstd -dcqf $$< | awk -f $(ROOT)/pipelines/match.awk > $$@
endef
$(foreach s,$(SPECIES),$(eval $(call SET_RULE,$(s))))

DRAW = rna-tokenize -q --label header --frame type $< | rna-shuf -q -s 1 -n
%/tune.fa: %/train.all.fa
	$(DRAW) $(RNAS) | rna-view -O fasta -o $@
%/train.fa: %/train.all.fa
	$(DRAW) $(FROZEN) | rna-view -O fasta -o $@
%/test.fa: %/test.all.fa
	$(DRAW) $(TEST) | rna-view -O fasta -o $@
%.whole.rill: %.fa
	rna-tokenize -q --label header --frame type -o $@ $<
%.chunks.rill: %.fa
	rna-tokenize -q --label header --frame type --long chunk --max 512 -o $@ $<
%.cut.rill: %.fa
	rna-tokenize -q --label header --frame type --long truncate --max 512 -o $@ $<

$(OUT)/random/trained:
	mkdir -p $(@D)
	rna-train mlm -q -f -s 1 -c tiny --max-tokens 512 --init local --init-range 0.05 --steps 0 -o $(@D)
	touch $@

# 2. Fine-tuning: set, row, seed
define TUNE_RULE
$(OUT)/$(1)/$(2)-$(3).rill: $(OUT)/$(1)/tune.$(4).rill $(OUT)/$(1)/test.$(4).rill $(OUT)/random/trained
	rna-train class -q -f -@ $(THREADS) -s $(3) -m $(call folder,$(2)) --epochs $(EPOCHS) --max-chunks $(CHUNKS) --dtype $(DTYPE) \
		$(TUNE) --valid-split 0.1 -o $(OUT)/$(1)/$(2)-$(3) $$<
	rna-predict -q -@ $(THREADS) --dtype $(DTYPE) -m $(OUT)/$(1)/$(2)-$(3) $(OUT)/$(1)/test.$(4).rill | rna-vote -q --by chunk -o $$@
endef
$(foreach t,$(SETS),$(foreach v,$(TUNED),$(foreach s,$(SEEDS),$(eval \
	$(call TUNE_RULE,$(t),$(v),$(s),$(if $(filter %-cut,$(v)),cut,chunks))))))

# 3. Frozen: mean vectors, of chunks put together by rna-vote, and logistic regression on them
define PROBE_RULE
$(OUT)/$(1)/%.$(2).rill: $(OUT)/$(1)/%.$(3).rill $(OUT)/random/trained
	rna-embed -q -@ $(THREADS) --dtype $(DTYPE) -m $(call folder,$(2)) --what mean $$< | rna-vote -q --by chunk -o $$@
$(OUT)/$(1)/$(2)-0.rill: $(OUT)/$(1)/train.$(2).rill $(OUT)/$(1)/test.$(2).rill
	rna-train class -q -f --from field:mean --valid-split 0.1 -o $(OUT)/$(1)/$(2) $$<
	rna-predict -q -m $(OUT)/$(1)/$(2) -o $$@ $(OUT)/$(1)/test.$(2).rill
endef
$(foreach t,$(SETS),$(foreach v,$(filter probe-%,$(PLAIN)),$(eval \
	$(call PROBE_RULE,$(t),$(v),$(if $(filter %-cut,$(v)),cut,chunks)))))

# 4. Without a backbone
define PLAIN_RULE
$(OUT)/$(1)/$(2)-0.rill: $(OUT)/$(1)/train.whole.rill $(OUT)/$(1)/test.whole.rill
	rna-embed -q --kmer 3 $$< | rna-train class -q -f --from $(2:lookup=seq) $(if $(filter lookup,$(2)),,--valid-split 0.1) \
		-o $(OUT)/$(1)/$(2)
	rna-predict -q -m $(OUT)/$(1)/$(2) -o $$@ $(OUT)/$(1)/test.whole.rill
endef
$(foreach t,$(SETS),$(foreach v,kmer length lookup,$(eval $(call PLAIN_RULE,$(t),$(v)))))

# 5. Scores
%.tsv: %.rill
	rna-score class -q -o $@ $<

$(OUT)/table.tsv: $(SCORES)
	for s in $(SPECIES); do awk -f $(ROOT)/pipelines/classtable.awk -v protocols="$$s.clean $$s.paper" \
		-v rows='$(TUNED) $(PLAIN)' $(OUT)/$$s.*/*-[0-9]*.tsv; done > $@

clean:
	rm -rf $(OUT)
