# notin.awk: FASTA records of the second file whose letters are not those of a record of the first; T and U are one.
#
#	awk -f notin.awk train.fa test.fa > new.fa
function take() {
	if (name == "")
		return
	key = toupper(seq)
	gsub(/U/, "T", key)
	if (file == 1)
		seen[key]
	else if (!(key in seen))
		printf "%s\n%s\n", name, seq
}
FNR == 1 { take(); name = ""; file++ }
/^>/ { take(); name = $0; seq = ""; next }
{ seq = seq $0 }
END { take() }
