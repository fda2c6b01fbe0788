# shellcheck shell=bash disable=SC2154,SC2016,SC2046,SC2317
# classes_faults.sh: classes 4-13, 27, 37-40: what may fail around a program.  Sourced by run.sh.

class_4() {
	local t every
	have gcc || [ -e "$deep/preload.so" ] || { skip "preload.so is not built"; return; }
	for t in $(writers); do
		every=$(full_or 1 53)
		[[ $t != rna-embed && $t != rna-predict ]] || every=$(full_or 3 211)
		tally "$deep/outofmemory" -e "$every" -o x "$deep/preload.so" "$t" $(command_of "$t") -o x
	done
	tally "$deep/outofmemory" -e "$(full_or 1 53)" -o x "$deep/preload.so" rna-view -O tsv -o x s.rill
	tally "$deep/outofmemory" -e "$(full_or 1 53)" -o x "$deep/preload.so" rna-embed --kmer 2 -o x s.rill
}

# may_trace: ptrace works here
may_trace() {
	[ "$(uname -m)" = x86_64 ] && "$deep/inject" write EIO true >/dev/null 2>&1
	[ $? -le 1 ] || { skip "no ptrace here"; return 1; }
}

class_5() {
	local t call error
	may_trace || return 0
	for t in $(writers); do
		for call in read write fsync close rename openat ftruncate; do
			for error in EIO ENOSPC EINTR EAGAIN; do
				full || [[ $call$error == @(writeENOSPC|readEINTR|fsyncEIO|renameEIO) ]] || continue
				tally "$deep/inject" -e "$(full_or 1 3)" -o x "$call" "$error" \
					"$t" $(command_of "$t") -o x
			done
		done
	done
}

class_6() {
	local t
	may_trace || return 0
	for t in $(writers); do
		tally "$deep/inject" -o x read,write short "$t" $(command_of "$t") -o x
	done
}

class_7() {
	local t
	[ -e /dev/full ] || { skip "no /dev/full"; return; }
	for t in $(writers); do
		refuses 1 bash -c "$t $(command_of "$t") >/dev/full" && grep -q "No space left on device" "$log"
		count $? "$t: no space"
	done
	is "rna-train: no space" \
		refuses 1 rna-train mlm -q -c tiny --layers 1 --epochs 1 --log /dev/full -o full masked.rill
}

class_8() {
	local t
	random_fasta 3000 60 90 2 >big.fa
	rna-tokenize -q -l 1 -o big.rill big.fa
	for t in rna-tokenize rna-mask rna-shuf rna-view rna-embed; do
		rm -f x x.part
		case $t in
		rna-tokenize) set -- "$t" big.fa ;;
		rna-view) set -- "$t" -O json big.rill ;;
		rna-embed) set -- "$t" --kmer 3 big.rill ;;
		*) set -- "$t" big.rill ;;
		esac
		! (ulimit -f 8 && exec "$@" -o x) >/dev/null 2>&1 && [ ! -e x ]
		count $? "$t under ulimit -f"
		# with the signal ignored the write fails and is reported
		is "$t, signal ignored" refuses 1 bash -c "trap '' XFSZ; ulimit -f 8; exec $* -o x"
		is "$t leaves nothing" test ! -e x -a ! -e x.part
	done
	set --
}

class_9() {
	local t status
	for t in $(writers); do
		mkfifo pipe
		exec 8<>pipe
		exec 9>pipe 8>&-
		status=0
		timeout 60 bash -c "trap '' PIPE; $t $(command_of "$t") >&9" 2>"$log" || status=$?
		[ $status = 1 ] && grep -q "Broken pipe" "$log"
		count $? "$t with the signal ignored: $status"
		status=0
		timeout 60 bash -c "trap - PIPE; $t $(command_of "$t") >&9" 2>/dev/null || status=$?
		[ $status = 141 ]
		count $? "$t: $status"
		exec 9>&-
		rm pipe
	done
}

# kills ARGUMENTS...: lines of killresume.sh as cases
kills() {
	bash "$ROOT/tests/killresume.sh" "$@" >"$log" 2>&1
	cases=$((cases + $(grep -c '^ok ' "$log")))
	while read -r line; do count 1 "$line"; done < <(grep '^not ok ' "$log")
	grep -q '^1\.\.' "$log" || count 1 "$(tail -n 3 "$log")"
}

class_10() {
	kills "$(full_or 200 2)" 1 train
	kills "$(full_or 50 2)" 2 embed
	full || return 0
	kills 20 5 fold
	kills 20 6 class
	kills 20 7 pair
}

class_11() { kills "$(full_or 50 1)" 3 signal; }

class_12() {
	may_trace || return 0
	kills "$(full_or 50 1)" 4 twice
}

class_13() {
	may_trace || return 0
	local train="rna-train mlm -q -c tiny --layers 1 --batch-tokens 256 --epochs 2 --save-every 1 --keep 1"
	head -n 8 s.fa | rna-tokenize -q | rna-mask -q -o few.rill
	rna-mask -q -s 1 -o old s.rill && rna-mask -q -s 2 -o new s.rill
	cat >is_old_or_new <<-'END'
		#!/bin/bash
		[ ! -e "$1/x" ] || cmp -s "$1/x" old || cmp -s "$1/x" new
	END
	# what is there loads, and the run goes on to the same end
	cat >goes_on <<-END
		#!/bin/bash
		[ ! -e "\$1/model.safetensors" ] || rna-embed -q -m "\$1" -o loads.rill s3.fa || exit 1
		$train --resume -o "\$1" few.rill && cmp -s "\$1/model.safetensors" whole/model.safetensors
	END
	chmod +x is_old_or_new goes_on
	mkdir with without trained control
	cp old with/x
	tally "$deep/powerloss" with ./is_old_or_new rna-mask -s 2 -o with/x s.rill
	tally "$deep/powerloss" without ./is_old_or_new rna-mask -s 2 -o without/x s.rill
	$train -o whole few.rill
	# shellcheck disable=SC2086
	tally "$deep/powerloss" -n "$(full_or 0 12)" trained ./goes_on $train -o trained few.rill
	# another model is replaced: never its weights under the new config.json, and done again the new one is whole
	rna-mask -q -o typed.rill s.rill
	$train -o before typed.rill
	cp -r before replaced
	cat >not_mixed <<-END
		#!/bin/bash
		if cmp -s "\$1/model.safetensors" before/model.safetensors &&
				! cmp -s "\$1/config.json" before/config.json; then
			rna-embed -q -m "\$1" -o loads.rill s3.fa 2>says && exit 1
			grep -q "of two models" says || exit 1
		elif [ -e "\$1/model.safetensors" ]; then
			rna-embed -q -m "\$1" -o loads.rill s3.fa || exit 1
		fi
		$train -f -o "\$1" few.rill && cmp -s "\$1/model.safetensors" whole/model.safetensors
	END
	chmod +x not_mixed
	# shellcheck disable=SC2086
	tally "$deep/powerloss" -n "$(full_or 0 12)" replaced ./not_mixed $train -f -o replaced few.rill
	# a program that does not sync is found out
	cp old control/x
	! "$deep/powerloss" control ./is_old_or_new cp new control/x >/dev/null 2>&1
	count $? "cp passes for safe"
}

class_27() {
	local t mib
	have prlimit || { skip "no prlimit"; return; }
	for t in $(writers); do
		for mib in 512 256 128 64 40; do
			full || [ $mib = 512 ] || [ $mib = 64 ] || continue
			timeout 60 prlimit --as=$((mib << 20)) "$t" $(command_of "$t") -o capped >/dev/null 2>"$log"
			case $? in
			0) count 0 ;;
			1)
				[ "$(wc -l <"$log")" = 1 ] || grep -q 'libgomp' "$log"
				count $? "$t in $mib MiB: $(cat "$log")"
				;;
			127) count 0 ;; # the loader itself has no room
			*) count 1 "$t in $mib MiB ends with another status: $(cat "$log")" ;;
			esac
			rm -f capped capped.part
		done
	done
}

class_37() {
	local i status whole pids=() done_well=0
	rna-mask -q -s 5 -o one s.rill
	for ((i = 0; i < $(full_or 100 12); i++)); do
		rna-mask -q -s 5 -o same s.rill 2>/dev/null & pids+=($!)
	done
	for i in "${pids[@]}"; do
		status=0
		wait "$i" || status=$?
		[ $status -le 1 ]
		count $? "a writer ends with $status"
		[ $status != 0 ] || done_well=$((done_well + 1))
	done
	[ $done_well -gt 0 ] && cmp -s one same && [ ! -e same.part ]
	count $? "$done_well writers say they wrote one whole file"
	# two trainings in one folder
	mkfifo silent
	rna-train mlm -q -c tiny --layers 1 --steps 1 -o shared silent & i=$!
	exec 9>silent
	for ((whole = 0; whole < 3000; whole++)); do [ ! -e shared/.lock ] || break; sleep 0.02; done
	refuses 1 rna-train mlm -q -c tiny --layers 1 --steps 1 -o shared masked.rill && grep -q "in use.*pid $i" "$log"
	count $? "the second training says who holds the folder"
	cat masked.rill masked.rill >&9 2>/dev/null
	exec 9>&-
	wait "$i"
	count $? "the first training ends well"
}

class_38() {
	local pid i n
	n=$(full_or 20 3)
	for ((i = 0; i < 3; i++)); do rna-mask -q -s "$i" all.rill; done >train.rill
	local train="rna-train mlm -q -c tiny --layers 1 --batch-tokens 1024 --epochs 2"
	$train -o steady train.rill
	$train -o stopped train.rill & pid=$!
	for ((i = 0; i < n; i++)); do
		sleep 0.05
		kill -STOP $pid 2>/dev/null && sleep 0.2 && kill -CONT $pid 2>/dev/null
		cases=$((cases + 1))
	done
	wait $pid
	count $? "a training that was stopped and continued $n times"
	cmp -s steady/model.safetensors stopped/model.safetensors
	count $? "has the same weights"
	[ -e "$deep/preload.so" ] || return 0
	RILL_CLOCK=back LD_PRELOAD=$deep/preload.so $train -v -o backwards train.rill 2>"$log"
	count $? "a clock that runs backwards: $(tail -n 1 "$log")"
	cmp -s steady/model.safetensors backwards/model.safetensors && ! grep -qE -- '-[0-9.]+ ?s' "$log"
	count $? "no negative time, the same weights"
}

class_39() {
	local t
	echo "# allocations on a device and its driver need one; here: no device"
	for t in rna-train rna-embed rna-predict; do
		"$t" --help-options | cut -f 2 | grep -qx device || continue
		case $t in
		rna-train) set -- "$t" mlm -c tiny --steps 1 -d cuda -o never2 masked.rill ;;
		*) set -- "$t" -d cuda $(command_of "$t") ;;
		esac
		if have nvidia-smi; then continue; fi
		"$@" >/dev/null 2>"$log" </dev/null
		[[ $? -le 2 && $(wc -l <"$log") -le 2 && -s $log ]]
		count $? "$t without a device: $(cat "$log")"
	done
	set --
	# a loss that is no number stops before the checkpoint is replaced
	rna-train mlm -q -c tiny --layers 1 --steps 1 -o nan masked.rill 2>/dev/null
	cp nan/model.safetensors nan.before
	refuses 1 rna-train mlm -q -c tiny --layers 1 --schedule constant --warmup 0 --lr 100 --clip 0 \
		--weight-decay 10 --batch-tokens 256 --epochs 40 --save-every 100000 -f -o nan masked.rill &&
		grep -q "not finite" "$log"
	count $? "a loss that is not finite"
	cmp -s nan.before nan/model.safetensors
	count $? "the model before is untouched"
}

class_40() { skip "needs several hosts"; }
