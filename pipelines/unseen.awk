# unseen.awk: the RNAs of the last file whose sequence is in none of the others; dot-bracket of three lines a record.
FNR == 1 { file++ }
/^>/ { name = $0; line = 0; next }
++line == 1 { seq = $0; if (file < ARGC - 1) seen[toupper(seq)] = 1; next }
file == ARGC - 1 && !(toupper(seq) in seen) { printf "%s\n%s\n%s\n", name, seq, $0 }
