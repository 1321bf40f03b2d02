# Completion for bash: source this file, or install it as
# /usr/share/bash-completion/completions/sluice.
_sluice() {
  # From the line itself: readline breaks words at colons, and addresses and backends have some.
  local line=${COMP_LINE:0:COMP_POINT} typed
  read -ra typed <<<"$line"
  [[ $line != *[[:blank:]] ]] || typed+=("")
  local word=${typed[-1]} previous=${typed[-2]-}
  local words="run check maelstrom demo ctl --config --help --version"
  local ctl_words="status clusters listeners sessions events config ready drain maintenance trip
    reset weight close reload --admin --token-file --json --help"
  local command="" ctl_command="" server=() i

  for ((i = 1; i + 1 < ${#typed[@]}; i++)); do
    case ${typed[i]} in
      --admin | --token-file) server+=("${typed[i++]}" "${typed[i]}") ;;
      -c | --config | --set | --workers | --log-level | --limit | --listener | --cluster | --backend | --after | \
        --seconds | --service | --service-timeout) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=${typed[i]}
        elif [[ -z $ctl_command ]]; then
          ctl_command=${typed[i]}
        fi
        ;;
    esac
  done

  case $previous in
    -c | --config | --token-file)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --log-level)
      mapfile -t COMPREPLY < <(compgen -W "debug info warning error" -- "$word")
      return
      ;;
    --backend)
      mapfile -t COMPREPLY < <(compgen -W "$(_sluice_backends "${typed[0]}" "${server[@]}")" -- "$word")
      _sluice_trim_colons "$word"
      return
      ;;
    --admin | --set | --workers | --limit | --listener | --cluster | --after | --seconds | \
      --service | --service-timeout) return ;;
  esac

  case $command in
    "") ;;
    run | check) words="--config --set --workers --log-level --help" ;;
    maelstrom) words="--config --manual-clock --service --service-timeout --help" ;;
    demo) words="--seconds --help" ;;
    ctl)
      words=$ctl_words
      case $ctl_command in
        "") ;;
        ready | drain | maintenance | trip | reset | weight)
          words="--admin --token-file --json --help $(_sluice_backends "${typed[0]}" "${server[@]}")"
          [[ $ctl_command != drain ]] || words+=" --process"
          ;;
        sessions) words="--limit --listener --cluster --backend --after --admin --token-file --json --help" ;;
        *) words="--admin --token-file --json --help" ;;
      esac
      ;;
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  _sluice_trim_colons "$word"
}

# What readline replaces begins behind the last colon of the word.
_sluice_trim_colons() {
  [[ $COMP_WORDBREAKS == *:* && $1 == *:* ]] || return
  COMPREPLY=("${COMPREPLY[@]#"${1%"${1##*:}"}"}")
}

# _sluice_backends PROGRAM OPTION...: CLUSTER/BACKEND of the running one, which these options or
# SLUICE_ADMIN tell where to find.
_sluice_backends() {
  [[ $* == *" --admin "* || -n ${SLUICE_ADMIN-} ]] || return
  "$1" ctl "${@:2}" clusters 2>/dev/null </dev/null | awk 'NR > 1 { print $1 "/" $2 }'
}

complete -F _sluice sluice
