# Completes kubectl-rca in fish: kubectl-rca completion fish | source
function __kubectl_rca_complete
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    set -l lines (kubectl-rca __complete $words 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string sub -s 2 -- $lines[-1])
    set -e lines[-1]
    set -l current (commandline -ct)
    set -l flag (string match -r -- '^--[^=]+=' $current)
    if test (count $lines) -gt 0
        for line in $lines
            echo $flag$line
        end
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path $current
    end
end
complete -c kubectl-rca -f -a '(__kubectl_rca_complete)'
