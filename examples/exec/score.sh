# With --send text, a line feed in the text is written as \n, and a backslash as \\. printf %b undoes this.
set -f
while IFS= read -r line; do
  text=$(printf '%b' "$line")
  set -- $text
  echo $#
done
