# Completes kubectl-rca in bash: source <(kubectl-rca completion bash)
_kubectl_rca() {
    local current="${COMP_WORDS[COMP_CWORD]}" line directive=0 lines=()
    # `--flag=value` comes as three words: what is asked for is the last.
    local words=() word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ ${#words[@]} -gt 0 && ( $word == "=" || ${words[-1]} == --*= ) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    [[ $current == "=" ]] && current=""
    while IFS= read -r line; do lines+=("$line"); done < <(kubectl-rca __complete "${words[@]}" 2>/dev/null)
    [[ ${#lines[@]} -eq 0 ]] && return
    directive=${lines[-1]#:}
    unset 'lines[-1]'
    COMPREPLY=()
    for line in "${lines[@]}"; do
        line=${line%%$'\t'*}
        [[ $line == "$current"* ]] && COMPREPLY+=("$line")
    done
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    if (( (directive & 4) == 0 && ${#COMPREPLY[@]} == 0 )); then
        compopt -o default 2>/dev/null
    fi
    return 0
}
complete -F _kubectl_rca kubectl-rca
