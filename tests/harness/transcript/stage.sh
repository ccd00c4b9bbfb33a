# The stage on which a page's transcript is played. The words are those of the page; what they do
# happens here: on free ports, in a folder that vanishes, with the programs that were just built.
# `STAGE` plays ferry and ferryd, `PROGRAMS` has the others, `STORY` is for what is nobody's to see.
exec 2>&1

# The server that a page calls by this address listens somewhere else in truth.
really() {
  case $1 in *:*) port_called=${1##*:} ;; *) port_called=9021 ;; esac
  eval "echo \${address_$port_called:-127.0.0.1:1}"
}

# Serves in the background for the rest of the page, or until the page starts another one at the same
# address; what ends by itself, like `ferryd user list`, has its say.
ferryd() {
  called=127.0.0.1:9021 before= left=$#
  while [ "$left" -gt 0 ]; do
    word=$1; shift; left=$((left - 1))
    if [ "$before" = --listen ]; then called=$word; word=127.0.0.1:0; fi
    set -- "$@" "$word"; before=$word
  done
  case " $* " in *" --listen "*) ;; *) set -- --listen 127.0.0.1:0 "$@" ;; esac
  port=${called##*:}
  case " $* " in *" user "*) ;; *) eval "stop_server \${server_$port:-}" ;; esac
  rm -f "$STORY/said"; mkfifo "$STORY/said"
  # A shell takes the keyboard from what runs in the background, unless it is given it by number.
  "$STAGE" ferryd "$@" <&4 >"$STORY/said" 2>"$STORY/log" 4<&- &
  started=$!
  exec 5<"$STORY/said"
  first=
  read -r first <&5
  case $first in
    "ferryd listening on "*)
      eval "server_$port=$started address_$port=\${first##* }"
      [ "$port" != 9021 ] || export FERRY_SERVER="${first##* }"
      echo "ferryd listening on $called"
      exec 5<&- ;;
    *)
      [ -z "$first" ] || printf '%s\n' "$first"
      cat <&5; exec 5<&-
      wait "$started"; status=$?
      cat "$STORY/log"
      return $status ;;
  esac
} 4<&0

stop_server() {
  [ -z "$1" ] || { kill "$1" && wait "$1"; }
}

ferry() {
  before= left=$#
  while [ "$left" -gt 0 ]; do
    word=$1; shift; left=$((left - 1))
    [ "$before" != --server ] || word=$(really "$word")
    set -- "$@" "$word"; before=$word
  done
  "$STAGE" ferry "$@"
}

# Enough rounds to see what always and what never happens; the page's own are for figures.
lab() {
  case " $* " in
    *" --runs "* | *" --help "*) ;;
    " queue "* | " efficiency "* | " models "*) set -- "$@" --quick --runs 1 ;;
    " sticky "* | " race "* | " cv-if "* | " deadlock "* | " check "*) set -- "$@" --runs 3 ;;
  esac
  "$PROGRAMS/lab" "$@"
}

cargo() {
  [ "$1" = run ] || { echo "the stage cannot do: cargo $*"; return 1; }
  shift
  program=ferryd
  while [ $# -gt 0 ]; do
    case $1 in
      --release) shift ;;
      --bin) program=$2; shift 2 ;;
      --) shift; break ;;
      *) break ;;
    esac
  done
  case $program in
    ferry | ferryd | lab) "$program" "$@" ;;
    *) "$PROGRAMS/$program" "$@" ;;
  esac
}
