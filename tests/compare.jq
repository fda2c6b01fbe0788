# compare.jq: what rna-embed | rna-view -O json gives beside the expected.jsonl of a golden model: per field the largest
# difference and the smallest cosine over the records.  Exits with an error when a record or field is missing.
#
#	rna-view -O json x.rill | jq -rs --slurpfile want expected.jsonl -f tests/compare.jq
#
# Lines: field, difference, cosine.  A vector that is expected to be null (too long to keep) is passed over.
def dot($a; $b): reduce range($a | length) as $i (0; . + $a[$i] * $b[$i]);
def apart($a; $b): reduce range($a | length) as $i (0; [., ($a[$i] - $b[$i] | fabs)] | max);
. as $got
| if ($got | length) != ($want | length) then error("\($got | length) records, not \($want | length)") else . end
| ({"cls": "cls", "mean": "mean", "pooled": "pooled", "last_hidden": "hidden", "logits": "logits"} | to_entries[]) as $f
| [range($want | length) as $i
	| select($want[$i][$f.key] != null)
	| if $got[$i].name != $want[$i].name then error("record \($i) is \($got[$i].name)") else . end
	| ($want[$i][$f.key] | flatten) as $a | ($got[$i][$f.value] // error("no \($f.value)") | flatten) as $b
	| if ($a | length) != ($b | length) then error("\($f.value) of \($want[$i].name): \($b | length) values") else . end
	| [apart($a; $b), dot($a; $b) / (dot($a; $a) * dot($b; $b) | sqrt)]]
| "\($f.value)\t\(map(.[0]) | max)\t\(map(.[1]) | min)"
