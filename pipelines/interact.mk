# interact.mk: does this microRNA bind this target (DeepMirTar): the interaction head, simple heads and baselines.
## Tells pairs of a microRNA and its target from other pairs, in the published way and in one without its leak.
##
##	make -f pipelines/interact.mk DATA=/path/to/data            hours on two cores
##	make -f pipelines/interact.mk DATA=/path/to/data SMALL=1    five minutes, to see that all works
##
## Protocols.  paper: a random fifth of the pairs is the test set, so that most of its microRNAs are known from training,
## and with them, mostly, the answer: the row lookup says how far that alone goes.  clean: a fifth of the microRNAs is
## the test set, with all their pairs; none of them is in training.  The file has its microRNAs written 3' to 5'; they are
## turned round here, and paper-given, clean-given are the same pairs as they are in the file.
##
## Rows.  tbth, fbth: interaction head on the pretrained MODEL, which learns with it, or is frozen; fbth-paddle: with the
## LSTM over channels, as the published code; random: on a frozen model of random weights; alone: no language model;
## linear, linear-fbth: a linear head on the pooled vector; kmer: logistic regression on 3-mers of both sequences;
## length: on both lengths; lookup: the label that the microRNA has in training.  ...-all: on ALL of the training pairs,
## not PAIRS of them.
##
## Targets: all, table (prints OUT/table.tsv), clean (removes OUT).  A run that was killed is continued.
## Results: OUT/table.tsv, OUT/PROTOCOL/ROW-SEED.tsv (all scores of each), OUT/confusion.svg (fbth, clean).
##
## Variables:
DATA ?= ../shared/data  ## folder that holds sequence/DeepMirTar/MirTarRAW.csv
TABLE ?= $(DATA)/sequence/DeepMirTar/MirTarRAW.csv  ## columns a_name, a_seq (the microRNA), b_name, b_seq, label
OUT ?= build/interact$(if $(SMALL),-small)  ## folder of the results
MODEL ?= $(ROOT)/pipelines/models/tiny  ## pretrained model
PAIRS ?= $(if $(SMALL),300,30000)  ## training pairs of each row, drawn at random (30000: all)
ALL ?= $(if $(SMALL),2000,30000)  ## training pairs of the rows ...-all, drawn at random (30000: all)
TEST ?= $(if $(SMALL),300,30000)  ## test pairs that are scored, drawn at random
EPOCHS ?= $(if $(SMALL),3,20)  ## passes over them at most; a tenth of them says which was the best
TUNED ?= $(if $(SMALL),1,10)  ## the same, where the language model learns
SEEDS ?= 1  ## of order, dropout and new weights
ROWS ?= tbth fbth fbth-paddle random alone linear linear-fbth  ## rows that are trained in paper and clean
GIVEN ?= fbth alone  ## and in paper-given, clean-given
TRAIN ?= --batch 50 --lr 1e-3 --patience 5  ## options of rna-train pair
DTYPE ?= bf16  ## of matrix products, in training and prediction

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

PROTOCOLS = paper clean paper-given clean-given
BASELINES = kmer kmer-all length length-all lookup lookup-all

# what a row is; a learning language model takes a smaller rate, and so does a linear head on it
HOW_tbth = -m $(MODEL) --epochs $(TUNED) --lr 3e-4
HOW_fbth = -m $(MODEL) --epochs $(EPOCHS) --adapt fbth
HOW_fbth-paddle = -m $(MODEL) --epochs $(EPOCHS) --adapt fbth --compat paddle
HOW_random = -m $(OUT)/random --epochs $(EPOCHS) --adapt fbth
HOW_alone = -m none --epochs $(EPOCHS)
HOW_linear = -m $(MODEL) --epochs $(TUNED) --head linear --lr 3e-4
HOW_linear-fbth = -m $(MODEL) --epochs $(EPOCHS) --head linear --adapt fbth
FROM_kmer = kmer
FROM_length = length
FROM_lookup = seq

rows = $(if $(filter %-given,$(1)),$(GIVEN),$(ROWS))
SCORES = $(foreach p,$(PROTOCOLS),$(foreach r,$(call rows,$(p)),$(foreach s,$(SEEDS),$(OUT)/$(p)/$(r)-$(s).tsv)) \
	$(foreach r,$(BASELINES),$(OUT)/$(p)/$(r)-0.tsv))

all: table $(OUT)/confusion.svg
table: $(OUT)/table.tsv
	column -t -s $$'\t' $<
.PHONY: all table clean
.SECONDARY:

# 1. Pairs
$(OUT)/turned.rill: $(TABLE)
	mkdir -p $(OUT)
	rna-tokenize -q --pairs a_seq,b_seq --reverse a_seq --label label --keep a_seq -o $@ $<

$(OUT)/given.rill: $(TABLE)
	mkdir -p $(OUT)
	rna-tokenize -q --pairs a_seq,b_seq --label label --keep a_seq -o $@ $<

orientation = $(if $(filter %-given,$(1)),given,turned)
# pairs of one microRNA stay together, in the test set and in what is validated on; a_seq is the same in both orientations
together = $(if $(filter clean%,$(1)),--group a_seq)

define PROTOCOL_RULE
$(OUT)/$(1)/all.rill: $(OUT)/$(call orientation,$(1)).rill
	mkdir -p $(OUT)/$(1)
	rna-shuf -q -s 1000 --split 0.8 $(call together,$(1)) -o $(OUT)/$(1)/most.rill --rest $(OUT)/$(1)/rest.rill $$<
	rna-shuf -q -s 1 -n $(ALL) -o $$@ $(OUT)/$(1)/most.rill
	rna-shuf -q -s 1 -n $(PAIRS) -o $(OUT)/$(1)/train.rill $(OUT)/$(1)/most.rill
	rna-shuf -q -s 1 -n $(TEST) -o $(OUT)/$(1)/test.rill $(OUT)/$(1)/rest.rill
endef
$(foreach p,$(PROTOCOLS),$(eval $(call PROTOCOL_RULE,$(p))))

$(OUT)/random/model.safetensors:
	mkdir -p $(OUT)
	rna-train mlm -q -f -s 1 -c tiny --max-tokens 512 --init local --init-range 0.05 --steps 0 -o $(@D)

# 2. Training and prediction
define TUNE_RULE
$(OUT)/$(1)/$(2)-$(3).rill: $(OUT)/$(1)/all.rill $(OUT)/random/model.safetensors
	rna-train pair -q -f -@ $(THREADS) -s $(3) --dtype $(DTYPE) $(TRAIN) $(HOW_$(2)) --valid-split 0.1 $(call together,$(1)) \
		-o $(OUT)/$(1)/$(2)-$(3) $(OUT)/$(1)/train.rill
	rna-predict -q -@ $(THREADS) --dtype $(DTYPE) -m $(OUT)/$(1)/$(2)-$(3) -o $$@ $(OUT)/$(1)/test.rill
endef
$(foreach p,$(PROTOCOLS),$(foreach r,$(call rows,$(p)),$(foreach s,$(SEEDS),$(eval $(call TUNE_RULE,$(p),$(r),$(s))))))

# 3. Without a backbone
define PLAIN_RULE
$(OUT)/$(1)/$(2)-0.rill: $(OUT)/$(1)/all.rill
	rna-embed -q --kmer 3 $(OUT)/$(1)/$(if $(filter %-all,$(2)),all,train).rill | rna-train pair -q -f --from $(FROM_$(2:%-all=%)) \
		$(if $(filter lookup%,$(2)),,--valid-split 0.1 $(call together,$(1))) -o $(OUT)/$(1)/$(2)
	rna-predict -q -m $(OUT)/$(1)/$(2) -o $$@ $(OUT)/$(1)/test.rill
endef
$(foreach p,$(PROTOCOLS),$(foreach r,$(BASELINES),$(eval $(call PLAIN_RULE,$(p),$(r)))))

# 4. Scores
%.tsv: %.rill
	rna-score pair -q -o $@ $<

$(OUT)/table.tsv: $(SCORES)
	awk -f $(ROOT)/pipelines/classtable.awk -v protocols='$(PROTOCOLS)' -v rows='$(ROWS) $(BASELINES)' $^ > $@

$(OUT)/confusion.svg: $(OUT)/clean/fbth-$(firstword $(SEEDS)).rill
	rna-score pair -q --confusion $(OUT)/confusion.tsv -o $(OUT)/confusion.score.tsv $<
	gnuplot -e "table='$(OUT)/confusion.tsv'; out='$@'" $(ROOT)/pipelines/plots/confusion.gp

clean:
	rm -rf $(OUT)
