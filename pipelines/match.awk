# match.awk: FASTA with headers >NAME LABEL and one line of letters each: as many RNAs of each label in every class of
# length (two to an octave), the first of them in the order of the input.
/^>/ {
	head[++n] = $0
	label[n] = $2
	labels[$2]
	next
}
{
	letters[n] = $0
	size[n] = int(2 * log(length($0)) / log(2))
	count[size[n], label[n]]++
}
END {
	for (i = 1; i <= n; i++) {
		room = n
		for (l in labels)
			room = count[size[i], l] + 0 < room ? count[size[i], l] + 0 : room
		if (taken[size[i], label[i]]++ < room)
			printf "%s\n%s\n", head[i], letters[i]
	}
}
