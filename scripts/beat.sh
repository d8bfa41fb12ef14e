#!/usr/bin/env bash
# beat.sh WHAT COMMAND...: runs the command, and says on standard error every EMOSPAN_BEAT seconds (30) that this still goes on.
what=$1 every=${EMOSPAN_BEAT:-30}
shift
# The loop ends with descriptor 3, and so however this shell does.
exec 3> >(while read -rt "$every"; [ $? -gt 128 ]; do echo "$what: $((SECONDS)) s so far" >&2; done)
"$@" 3>&-
