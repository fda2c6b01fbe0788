# classify.mk: 13 classes of non-coding RNA (nRC): pretrained models, each fine-tuned, against baselines.
## Tells the 13 classes of the nRC set from sequence: what pretraining, type guidance and each masking strategy bring,
## beside a model of random weights, 3-mers, the length alone, and a look-up of test RNAs in the training set.
##
##	make -f pipelines/classify.mk DATA=/path/to/data            hours on two cores
##	make -f pipelines/classify.mk DATA=/path/to/data SMALL=1    five minutes, to see that all works
##
## Two protocols.  paper: train.fa as published, of which 347 RNAs are in the test set, the best epoch chosen on the test
## set.  clean: training RNAs that are not in the test set, the best epoch chosen on a tenth of them.  All of the test
## set is scored in both; its RNAs are of the families of the training RNAs, by design of the set.
##
## Targets: all, table (prints OUT/table.tsv), clean (removes OUT).  A run that was killed is continued.
## Results: OUT/table.tsv (mean and deviation over seeds), OUT/paired.tsv (differences on the clean test set with 95 %
## intervals, paired), OUT/confusion.svg (best model, clean), OUT/PROTOCOL/MODEL-SEED.tsv (all scores of each).
##
## Variables:
DATA ?= ../shared/data  ## folder that holds sequence/nRC/*.fa and, for the pretraining, what pretrain.mk wants
OUT ?= build/classify$(if $(SMALL),-small)  ## folder of the results
MODEL ?= $(ROOT)/pipelines/models/tiny  ## pretrained model: the rows best and stack
RNAS ?= $(if $(SMALL),200,2000)  ## training RNAs of each fine-tuning, drawn at random
FROZEN ?= $(if $(SMALL),600,5973)  ## training RNAs of the rows that do not fine-tune, drawn at random (5973: all)
TEST ?= $(if $(SMALL),400,2600)  ## test RNAs, drawn at random (2600: all)
EPOCHS ?= $(if $(SMALL),2,3)  ## passes over them
SEEDS ?= $(if $(SMALL),1,1 2 3)  ## of order, dropout and new weights, in the clean protocol
PAPER_SEEDS ?= 1  ## in the paper's
PAPER_ROWS ?= random base subsequence motif best stack  ## fine-tuned rows of the paper's protocol
PRETRAIN ?= $(if $(SMALL),40,3000)  ## steps of 4,096 tokens of each pretraining of the ablation
TUNE ?= --batch 10 --lr 5e-4 --dropout 0.1 --attention-dropout 0 --patience 0  ## options of rna-train class
DTYPE ?= bf16  ## of matrix products, in training, vectors and prediction
K ?= 3  ## types of stack

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

NRC = $(DATA)/sequence/nRC
# rows: a backbone that learns with its head; the same frozen, logistic regression on its mean vectors; no backbone
BACKBONES = random base subsequence motif best
TUNED = $(BACKBONES) stack
PROBES = $(BACKBONES:%=probe-%)
PLAIN = kmer kmer-all length lookup-all

# the folder of a row's pretrained model, and the file that says it is there
folder = $(if $(filter best stack,$(1)),$(MODEL),$(OUT)/pre/$(1)/model)
ready = $(if $(filter best stack,$(1)),$(MODEL)/config.json,$(OUT)/pre/$(1)/model/trained)
seeds = $(if $(filter clean,$(1)),$(SEEDS),$(PAPER_SEEDS))
VALID_clean = --valid-split 0.1
VALID_paper = --valid $(OUT)/test.rill
ADAPT_stack = --adapt stack --types $(K)

rows = $(if $(filter clean,$(1)),$(TUNED),$(PAPER_ROWS))
SCORES = $(foreach p,clean paper,$(foreach v,$(call rows,$(p)),$(foreach s,$(call seeds,$(p)),$(OUT)/$(p)/$(v)-$(s).tsv)) \
	$(foreach v,$(PROBES) $(PLAIN),$(OUT)/$(p)/$(v)-0.tsv))

all: table $(OUT)/confusion.svg
	column -t -s $$'\t' $(OUT)/paired.tsv
table: $(OUT)/table.tsv $(OUT)/paired.tsv
	column -t -s $$'\t' $(OUT)/table.tsv
.PHONY: all table clean
.SECONDARY:

# 1. RNAs: framed with an open type slot; cut where they are longer than a model takes, as the published code does
TOKENS = rna-tokenize -q --label header --frame type --long truncate --max 512

$(OUT)/clean.all.rill: $(NRC)/train.notest.fa
	mkdir -p $(OUT)/clean $(OUT)/paper
	$(TOKENS) -o $@ $<

$(OUT)/paper.all.rill: $(NRC)/train.fa
	mkdir -p $(OUT)/clean $(OUT)/paper
	$(TOKENS) -o $@ $<

# the rows that do not fine-tune learn from these, and in paper also from its share of what clean has not: vectors are made once
$(OUT)/frozen.rill: $(OUT)/clean.all.rill
	rna-shuf -q -s 1 -n $(FROZEN) -o $@ $<

$(OUT)/extra.rill: $(NRC)/train.notest.fa $(NRC)/train.fa
	mkdir -p $(OUT)/clean $(OUT)/paper
	awk '/^>/ { keep = FILENAME == ARGV[2] && !($$1 in known); known[$$1] } keep' $^ | $(TOKENS) | \
		rna-shuf -q -s 1 -n $$((($(FROZEN) * 347 + 5972) / 5973)) -o $@

$(OUT)/test.rill: $(NRC)/test.fa
	mkdir -p $(OUT)/clean $(OUT)/paper
	$(TOKENS) $< | rna-shuf -q -s 1 -n $(TEST) -o $@

$(OUT)/clean.rill $(OUT)/paper.rill: $(OUT)/%.rill: $(OUT)/%.all.rill
	rna-shuf -q -s 1 -n $(RNAS) -o $@ $<

# 2. Pretraining: equal budgets, other masks; tokens and motifs are made once
PRETRAINING = $(MAKE) --no-print-directory -f $(ROOT)/pipelines/pretrain.mk DATA=$(DATA) THREADS=$(THREADS) DTYPE=$(DTYPE) \
	$(if $(SMALL),SMALL=1)
PREPARED = $(addprefix $(OUT)/pre/data/,train.rill motifs.txt watch.masked.rill)
$(OUT)/pre/data/made:
	+$(PRETRAINING) OUT=$(OUT)/pre/data $(PREPARED)
	touch $@

$(OUT)/pre/base/model/trained: MIX = 1:0:0
$(OUT)/pre/subsequence/model/trained: MIX = 1:1:0
$(OUT)/pre/motif/model/trained: MIX = 1:1:1
$(OUT)/pre/%/model/trained: $(OUT)/pre/data/made
	mkdir -p $(OUT)/pre/$*
	ln -f $(OUT)/pre/data/* $(OUT)/pre/$*
	+$(PRETRAINING) OUT=$(OUT)/pre/$* MIX=$(MIX) STEPS=$(PRETRAIN) model

$(OUT)/pre/random/model/trained:
	mkdir -p $(@D)
	rna-train mlm -q -f -s 1 -c tiny --max-tokens 512 --init local --init-range 0.05 --steps 0 -o $(@D)
	touch $@

# 3. Fine-tuning: protocol, row, seed
define TUNE_RULE
$(OUT)/$(1)/$(2)-$(3).rill: $(OUT)/$(1).rill $(OUT)/test.rill $(call ready,$(2))
	rna-train class -q -f -@ $(THREADS) -s $(3) -m $(call folder,$(2)) $(ADAPT_$(2)) --epochs $(EPOCHS) --dtype $(DTYPE) $(TUNE) \
		$(VALID_$(1)) -o $(OUT)/$(1)/$(2)-$(3) $$<
	rna-predict -q -@ $(THREADS) --dtype $(DTYPE) -m $(OUT)/$(1)/$(2)-$(3) -o $$@ $(OUT)/test.rill
endef
$(foreach p,clean paper,$(foreach v,$(TUNED),$(foreach s,$(call seeds,$(p)),$(eval $(call TUNE_RULE,$(p),$(v),$(s))))))

# 4. Without fine-tuning: numbers of all RNAs, made once for both protocols - mean vectors of a frozen backbone, frequencies of
# 3-mers, the letters themselves - and a classifier on them
%.kmer.rill: %.rill
	rna-embed -q --kmer 3 -o $@ $<

define VECTOR_RULE
%.$(1).rill: %.rill $(call ready,$(1))
	rna-embed -q -@ $(THREADS) --dtype $(DTYPE) -m $(call folder,$(1)) --what mean -o $$@ $$<
endef
$(foreach v,$(BACKBONES),$(eval $(call VECTOR_RULE,$(v))))

# protocol, row, what it reads, kind of numbers, training files
define FIT_RULE
$(OUT)/$(1)/$(2)-0.rill: $(5:%=$(OUT)/%.$(4).rill) $(OUT)/test.$(4).rill
	rna-train class -q -f --from $(3) \
		$(if $(filter seq,$(3)),,$(subst $(OUT)/test.rill,$(OUT)/test.$(4).rill,$(VALID_$(1)))) \
		-o $(OUT)/$(1)/$(2) $(5:%=$(OUT)/%.$(4).rill)
	rna-predict -q -m $(OUT)/$(1)/$(2) -o $$@ $(OUT)/test.$(4).rill
endef
ALL_clean = frozen
ALL_paper = frozen extra
$(foreach p,clean paper, \
	$(foreach v,$(BACKBONES),$(eval $(call FIT_RULE,$(p),probe-$(v),field:mean,$(v),$(ALL_$(p))))) \
	$(eval $(call FIT_RULE,$(p),kmer,kmer,kmer,$(p))) \
	$(eval $(call FIT_RULE,$(p),kmer-all,kmer,kmer,$(ALL_$(p)))) \
	$(eval $(call FIT_RULE,$(p),length,length,kmer,$(p))) \
	$(eval $(call FIT_RULE,$(p),lookup-all,seq,kmer,$(ALL_$(p)))))

# 5. Scores
%.tsv: %.rill
	rna-score class -q -o $@ $<

$(OUT)/table.tsv: $(SCORES)
	awk -f $(ROOT)/pipelines/classtable.awk -v protocols='clean paper' -v rows='$(TUNED) $(PROBES) $(PLAIN)' $^ > $@

# the first seed of a fine-tuned row, the one run of another
FIRST = $(OUT)/clean/$(1)-$(if $(filter $(1),$(TUNED)),$(firstword $(SEEDS)),0).rill
AGAINST = rna-score class -q $(call FIRST,$(1)) --against $(call FIRST,$(2)) | \
	awk -f $(ROOT)/pipelines/paired.awk -v a=$(1) -v b=$(2)
PAIRS = best:random best:base best:motif best:stack subsequence:base motif:subsequence best:kmer best:kmer-all \
	probe-best:probe-random probe-best:probe-base probe-subsequence:probe-base probe-motif:probe-subsequence \
	probe-best:kmer-all probe-random:kmer-all
$(OUT)/paired.tsv: $(SCORES)
	{ printf 'better\tthan\tmetric\tdifference\tlow\thigh\n'; \
	$(foreach p,$(PAIRS),$(call AGAINST,$(word 1,$(subst :, ,$(p))),$(word 2,$(subst :, ,$(p))));) } > $@

$(OUT)/confusion.svg: $(call FIRST,best)
	rna-score class -q --confusion $(OUT)/confusion.tsv -o $(OUT)/confusion.score.tsv $<
	gnuplot -e "table='$(OUT)/confusion.tsv'; out='$@'" $(ROOT)/pipelines/plots/confusion.gp

clean:
	rm -rf $(OUT)
