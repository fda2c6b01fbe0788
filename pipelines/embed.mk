# embed.mk: from a FASTA file to a vector for each RNA, as arrays and tables, and a table of nearest neighbours.
## Embeds the RNAs of a FASTA file with a model, or by counting 3-mers when there is no model.
##
##	make -f pipelines/embed.mk FASTA=seqs.fa MODEL=build/pretrain/model
##	make -f pipelines/embed.mk                                  the sample RNAs, 3-mers
##
## Targets: all, table (prints the nearest neighbours), clean (removes OUT).  A run that was killed is continued.
## Results: OUT/WHAT.npy (for NumPy, R, Julia), OUT/names.tsv (name, description: line i is vector i),
## OUT/neighbours.tsv (the K most similar RNAs of each; some thousands of RNAs are fine).
##
## Variables:
FASTA ?= $(ROOT)/pipelines/sample/sample.fa  ## FASTA, FASTQ or .rill, plain or compressed
MODEL ?= none  ## folder of a model, or org/name in the Hugging Face cache; none: counts of 3-mers
WHAT ?= $(if $(filter none,$(MODEL)),kmer,cls)  ## vector of an RNA: cls, mean or pooled
DTYPE ?= fp32  ## arithmetic: fp32, bf16 or int8
K ?= 3  ## neighbours of each RNA
OUT ?= build/embed  ## folder of the results

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

EMBED = rna-embed $(if $(filter none,$(MODEL)),--kmer 3,-m $(MODEL) --what $(WHAT) --dtype $(DTYPE) --resume)

all: $(OUT)/$(WHAT).npy $(OUT)/names.tsv $(OUT)/neighbours.tsv
.PHONY: all table clean

$(OUT)/$(WHAT).rill: $(FASTA)
	mkdir -p $(OUT)
	rm -f $@
	[ $@.part -nt $< ] || rm -f $@.part  # of an older input: nothing to go on with
	$(EMBED) -@ $(THREADS) -o $@ $<

$(OUT)/$(WHAT).npy: $(OUT)/$(WHAT).rill
	rna-view --npy $(WHAT) -o $@ $<

$(OUT)/names.tsv: $(OUT)/$(WHAT).rill
	rna-view -O tsv --fields name,desc $< | tail -n +2 > $@

$(OUT)/neighbours.tsv: $(OUT)/$(WHAT).rill
	rna-view -O tsv --fields name,$(WHAT) $< | awk -v k=$(K) -f $(ROOT)/pipelines/neighbours.awk > $@

table: $(OUT)/neighbours.tsv
	column -t -s $$'\t' $<

clean:
	rm -rf $(OUT)
