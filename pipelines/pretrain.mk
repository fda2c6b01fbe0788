# pretrain.mk: from a FASTA file with types to a pretrained model and what it has learned.
## Pretrains a masked language model of RNA and scores it on RNAs that it has not seen.
##
##	make -f pipelines/pretrain.mk DATA=/path/to/data            about an hour on two cores
##	make -f pipelines/pretrain.mk DATA=/path/to/data SMALL=1    two minutes, to see that all works
##
## Targets: all (tables and loss curve), model (training alone; again after a kill: goes on where it was),
## clean (removes OUT).  Results: OUT/model, OUT/valid.tsv (random split, in-family, single bases masked),
## OUT/valid-mixed.tsv (the same RNAs, bases, spans and motifs masked 1:1:1), OUT/heldout.tsv (no near duplicates,
## single bases), OUT/kept.txt (share of the corpus' nt that is kept), OUT/loss.png.
##
## Variables:
DATA ?= ../shared/data  ## folder that holds sequence/corpus.fa.zst and sequence/motif/*.txt
CORPUS ?= $(DATA)/sequence/corpus.fa.zst  ## FASTA whose headers are >ID TYPE
HELDOUT ?= $(wildcard $(DATA)/sequence/corpus.heldout.fa.zst)  ## FASTA kept apart, may be empty
MOTIFS ?= $(wildcard $(DATA)/sequence/motif/ATtRACT.txt $(DATA)/sequence/motif/SpliceAid.txt)  ## motif lists
OUT ?= build/pretrain$(if $(SMALL),-small)  ## folder of the results
CONFIG ?= tiny  ## shape of the model: tiny, small or base
STEPS ?= $(if $(SMALL),300,26000)  ## optimiser steps
PASSES ?= $(if $(SMALL),1,3)  ## passes over the corpus that are made; training stops at STEPS
BATCH ?= 4096  ## tokens of a step
LR ?= 1e-3  ## peak learning rate, cosine to a fiftieth
RATE ?= 0.3  ## share of bases masked in training: twice the paper's, for a short run; scoring takes 0.15
DTYPE ?= bf16  ## of matrix products
MIX ?= 1:1:1  ## weights of masked bases, stretches and motifs
SEED ?= 1  ## of weights, masks and order

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

MIXED = rna-mask -q -s $(SEED) --motifs $(OUT)/motifs.txt --mix $(MIX)
BASES = rna-mask -q -s $(SEED) --mix 1:0:0
SCORE = rna-score mlm -@ $(THREADS) --context 4 --train $(OUT)/train.rill

all: $(OUT)/valid.tsv $(OUT)/valid-mixed.tsv $(if $(HELDOUT),$(OUT)/heldout.tsv) $(OUT)/loss.png
	cat $(OUT)/kept.txt
	for t in $(filter %.tsv,$^); do echo "== $$t"; column -t -s $$'\t' $$t; done
.PHONY: all model clean

model: $(OUT)/model/trained

# letters to tokens in typed frames: [CLS] x [IND] type [SEP]; what is over 508 nt is cut, and how much that is, is printed
$(OUT)/all.rill: $(CORPUS)
	mkdir -p $(OUT)
	$(if $(SMALL),zstd -dcqf $< | awk 'NR <= 40000',cat $<) | \
		rna-tokenize -v --frame type --type header --long truncate -o $@ 2> $(OUT)/tokenize.log
	tail -n 1 $(OUT)/tokenize.log | awk '{ for (i = 1; i <= NF; i++) { if ($$i == "of") nt = $$(i + 1); \
		if ($$i == "dropped" || $$i == "cut") lost += substr($$(i + 2), 2) } \
		printf "%.2f %% of %d nt kept\n", 100 * (nt - lost) / nt, nt }' | tee $(OUT)/kept.txt

$(OUT)/train.rill: $(OUT)/all.rill
	rna-shuf -s $(SEED) --split 0.98 -o $@ --rest $(OUT)/valid.rill $<

$(OUT)/heldout.rill: $(HELDOUT)
	mkdir -p $(OUT)
	rna-tokenize --frame type --type header --long truncate -o $@ $<

# the most frequent 4-8-mers of the corpus beside the lists of known motifs
$(OUT)/motifs.txt: $(OUT)/train.rill $(MOTIFS)
	rna-motif --top 500 $(MOTIFS:%=--merge %) -o $@ $<

# masks of the scored streams are made once; two hundred RNAs of the random split watch over the training
$(OUT)/watch.masked.rill: $(OUT)/train.rill
	rna-shuf -q -n $(if $(SMALL),100,200) $(OUT)/valid.rill | $(BASES) --epoch 1000 -o $@

$(OUT)/%.masked.rill: $(OUT)/train.rill
	$(BASES) --epoch 1000 -o $@ $(OUT)/$*.rill

$(OUT)/%-mixed.masked.rill: $(OUT)/train.rill $(OUT)/motifs.txt
	$(MIXED) --epoch 1000 -o $@ $(OUT)/$*.rill

# each pass has its own order and its own masks; the writers end with a closed pipe when training has had enough
$(OUT)/model/trained: $(OUT)/train.rill $(OUT)/motifs.txt $(OUT)/watch.masked.rill
	mkdir -p $(@D)
	{ for e in $$(seq 0 $$(($(PASSES) - 1))); do \
		rna-shuf -q -l 0 -s $$e $(OUT)/train.rill | $(MIXED) -l 0 --rate $(RATE) --epoch $$e; done || [ $$? = 141 ]; } | \
		rna-train mlm -v -@ $(THREADS) -s $(SEED) -c $(CONFIG) --init local --init-range 0.05 --steps $(STEPS) --batch-tokens $(BATCH) \
		--lr $(LR) --min-lr $$(awk -v x=$(LR) 'BEGIN { print x / 50 }') --schedule cosine --dropout 0 \
		--attention-dropout 0 --dtype $(DTYPE) --valid $(OUT)/watch.masked.rill --resume -o $(@D)
	touch $@

$(OUT)/%.tsv: $(OUT)/%.masked.rill $(OUT)/model/trained
	rna-embed -q -l 0 -@ $(THREADS) -m $(OUT)/model --what logits $< | $(SCORE) -o $@

$(OUT)/heldout.masked.rill: $(OUT)/heldout.rill
.SECONDARY:

$(OUT)/loss.png: $(OUT)/model/trained
	gnuplot -e "log='$(OUT)/model/log.tsv'; out='$@'" $(ROOT)/pipelines/plots/loss.gp

clean:
	rm -rf $(OUT)
