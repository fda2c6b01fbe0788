#!/bin/bash
# soak.sh SECONDS: one pipe of every streaming program fed without end; memory and open files of each are looked at all
# the time.  Buffers fill first: rna-tokenize holds 64 MiB of records back, and a hundred turns of the sample must have
# come out at the end.  From then on, for so many seconds, all must stay as they are: 1 MiB for a thousand turns at most,
# and not one descriptor more.  Prints "CASES cases, FAILURES failures".
set -u
seconds=${1:-60}
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
B=${B:-$root/build}
dir=$(mktemp -d "${TMPDIR:-/tmp}/soak.XXXXXX") || exit 2
trap 'touch "$dir/stop"; wait; rm -rf "$dir"' EXIT
cd "$dir" || exit 2
PATH=$B/bin:$PATH
rna-tokenize -q --frame type --type header -o s.rill "$root/pipelines/sample/sample.fa"
rna-mask -q -o m.rill s.rill
rna-train mlm -q -c tiny --layers 1 --steps 0 -o model m.rill

feed() {
	while [ ! -e stop ]; do
		cat "$1" || break
	done
}
mkfifo p1 p2 p3 p4 p5 p6
# each program its own process, so that it can be looked at
rna-tokenize -q --frame type --type header <p1 >p2 & pids=($!)
rna-mask -q <p2 >p3 & pids+=($!)
rna-embed -q -m model --what cls,logits <p3 >p4 & pids+=($!)
rna-fold -q <p4 >p5 & pids+=($!)
rna-view -O json <p5 >p6 & pids+=($!)
awk 'NR % 60 == 0 { print NR / 60 >"out"; close("out") }' <p6 &
names=(rna-tokenize rna-mask rna-embed rna-fold rna-view)
feed "$root/pipelines/sample/sample.fa" >p1 2>/dev/null &

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null; }
descriptors() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
ended() { for p in "${pids[@]}"; do kill -0 "$p" 2>/dev/null || return 0; done; return 1; }
waited=0
until [ "$(cat out 2>/dev/null)" -ge 100 ] 2>/dev/null || ended || [ $((waited += 1)) -gt 3000 ]; do sleep 0.1; done
begun=$SECONDS
while [ $((SECONDS - begun)) -lt "$seconds" ]; do
	for i in "${!pids[@]}"; do
		echo "$i $(rss "${pids[i]}") $(descriptors "${pids[i]}") $(cat out)" # empty while it is being written
	done
	sleep "$(awk -v s="$seconds" 'BEGIN { print (s > 100 ? 2 : s / 50) }')"
done >samples
# none of them has ended; what is in the pipes would take minutes to drain
bad=0
for p in "${pids[@]}"; do kill -0 "$p" 2>/dev/null || bad=$((bad + 1)); done
touch stop
kill "${pids[@]}" 2>/dev/null
wait 2>/dev/null
awk -v bad=$bad -v names="${names[*]}" '
	NF == 4 {
		if (!($1 in n)) { first[$1] = $2; fds[$1] = $3; turn[$1] = $4 }
		n[$1]++; last[$1] = $2; end[$1] = $4
		if ($2 > most[$1]) most[$1] = $2
		if ($3 > fdm[$1]) fdm[$1] = $3
	}
	END {
		split(names, name, " ")
		for (i = 0; i < 5; i++) {
			turns = end[i] - turn[i]
			allowed = 1024 * (turns / 1000 > 1 ? turns / 1000 : 1)
			cases += 2
			grew = last[i] - first[i]
			if (turn[i] < 100 || grew > allowed) { failed++; print name[i + 1] " grew by " grew " KiB in " turns " turns" }
			if (!n[i] || fdm[i] > fds[i]) { failed++; print name[i + 1] ": " fds[i] " descriptors became " fdm[i] }
			printf "# %s: %d KiB, then %d KiB, at most %d KiB; %d descriptors, at most %d; %d turns of 60 RNAs\n",
				name[i + 1], first[i], last[i], most[i], fds[i], fdm[i], turns
		}
		cases++
		if (bad) { failed++; print bad " programs ended" }
		printf "%d cases, %d failures\n", cases, failed
		exit failed > 0
	}' samples
