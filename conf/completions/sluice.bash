# Completion for bash: source this file, or install it as
# /usr/share/bash-completion/completions/sluice.
_sluice() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local words="run check maelstrom demo ctl --config --help --version"
  local ctl_words="status clusters listeners sessions events config ready drain maintenance trip
    reset weight close reload --admin --token-file --json --help"
  local command="" ctl_command="" i

  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -c | --config | --admin | --token-file | --set | --workers | --log-level) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=${COMP_WORDS[i]}
        elif [[ -z $ctl_command ]]; then
          ctl_command=${COMP_WORDS[i]}
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
    --admin | --set | --workers | --limit | --seconds) return ;;
  esac

  case $command in
    "") ;;
    run | check) words="--config --set --workers --log-level --help" ;;
    maelstrom) words="--config --help" ;;
    demo) words="--seconds --help" ;;
    ctl)
      words=$ctl_words
      case $ctl_command in
        "") ;;
        ready | drain | maintenance | trip | reset | weight)
          words="--admin --token-file --json --help $(_sluice_backends)"
          [[ $ctl_command != drain ]] || words+=" --process"
          ;;
        sessions) words="--limit --admin --token-file --json --help" ;;
        *) words="--admin --token-file --json --help" ;;
      esac
      ;;
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  # A backend's name has colons, at which readline breaks words.
  if declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "$word"
  fi
}

# CLUSTER/BACKEND of the running one, where SLUICE_ADMIN says how to ask it.
_sluice_backends() {
  [[ -n ${SLUICE_ADMIN-} ]] || return
  "${COMP_WORDS[0]}" ctl clusters 2>/dev/null | awk 'NR > 1 { print $1 "/" $2 }'
}

complete -F _sluice sluice
