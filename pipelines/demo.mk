## demo.mk: 60 well-known RNAs through every step, in about a minute on two cores: read, split, mask, train a small
## model, and ask what it learned.  The data are a toy; pretrain.mk does the same with a corpus.
##

SAMPLE ?= $(ROOT)/pipelines/sample/sample.fa  ## RNAs, FASTA with the type as second and the family as third word
OUT ?= $(ROOT)/build/demo  ## folder of the results
PRESET ?= tiny  ## shape of the model
EPOCHS ?= 400  ## times that the training RNAs may be seen, each time with other bases masked
STEPS ?= 800  ## optimiser steps
SEED ?= 1  ## of the split, the masks and the weights
TRAIN ?= --batch-tokens 2048 --lr 3e-3 --warmup 50 --schedule cosine  ## further options of rna-train

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

all: $(OUT)/report.txt $(OUT)/loss.svg
	@cat $(OUT)/report.txt

# 4 in 5 RNAs to learn from, the rest held out
$(OUT)/all.rill: $(SAMPLE)
	@mkdir -p $(OUT)
	@echo 'demo: reading $(<F)'
	@rna-tokenize --frame type --type header -o $@ $<

$(OUT)/train.rill $(OUT)/held-out.rill &: $(OUT)/all.rill
	@rna-shuf -s $(SEED) --split 0.8 -o $(OUT)/train.rill --rest $(OUT)/held-out.rill $<

# masks of the held-out RNAs: one to watch the training with, ten to score with, so that a figure is not the luck of one
$(OUT)/watch.rill: $(OUT)/held-out.rill
	@rna-mask -s $(SEED) --epoch 1 -o $@ $<

# an epoch is a stream: the same RNAs in another order, other bases masked
$(OUT)/model/config.json: $(OUT)/train.rill $(OUT)/watch.rill
	@echo 'demo: training ($(PRESET), $(STEPS) steps)'
	@rm -rf $(OUT)/model
	@for e in $$(seq $(EPOCHS)); do rna-shuf -s $$e $< | rna-mask -s $(SEED) --epoch $$e || break; done | \
		rna-train mlm -@ $(THREADS) -c $(PRESET) -s $(SEED) --steps $(STEPS) $(TRAIN) \
		--valid $(OUT)/watch.rill --valid-every 50 --log $(OUT)/loss.tsv -o $(OUT)/model

# the same model with random weights: what the numbers are worth before any training
$(OUT)/random/config.json: $(OUT)/train.rill
	@rm -rf $(OUT)/random
	@rna-mask -s $(SEED) $< | rna-train mlm -q -c $(PRESET) -s $(SEED) --steps 0 -o $(OUT)/random

$(OUT)/score.tsv: $(OUT)/model/config.json $(OUT)/train.rill $(OUT)/held-out.rill
	@echo 'demo: masked bases of the held-out RNAs'
	@for e in $$(seq 10); do rna-mask -s $(SEED) --mix 1:0:0 --epoch $$e $(OUT)/held-out.rill; done | \
		rna-embed -q -@ $(THREADS) -m $(OUT)/model --what logits | \
		rna-score mlm --context 4 --train $(OUT)/train.rill -o $@

NEAREST = awk -v k=1 -f $(ROOT)/pipelines/neighbours.awk | awk -f $(ROOT)/pipelines/nearest.awk

$(OUT)/nearest.tsv: $(OUT)/model/config.json $(OUT)/random/config.json $(OUT)/all.rill
	@echo 'demo: nearest neighbours'
	@{ rna-embed -q --kmer 3 $(OUT)/all.rill | rna-view -O tsv --fields desc,kmer | $(NEAREST) -v label=kmer; \
	for m in random model; do \
		rna-embed -q -@ $(THREADS) -m $(OUT)/$$m --what mean $(OUT)/all.rill | rna-view -O tsv --fields desc,mean | \
			$(NEAREST) -v label=$$m; \
	done; } > $@

$(OUT)/loss.svg: $(OUT)/model/config.json
	@gnuplot -e "log='$(OUT)/loss.tsv'; out='$@'" $(ROOT)/pipelines/plots/loss.gp

$(OUT)/report.txt: $(OUT)/score.tsv $(OUT)/nearest.tsv
	@awk -v out=$(OUT:$(ROOT)/%=%) -f $(ROOT)/pipelines/report.awk $^ > $@

clean:
	rm -rf $(OUT)
.PHONY: all clean
