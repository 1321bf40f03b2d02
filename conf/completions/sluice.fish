# Completion for fish: put this file into ~/.config/fish/completions/.

# Of the running one, which the options on the line or SLUICE_ADMIN tell where to find.
function __sluice_backends
    set -l typed (commandline -opc)
    set -l server
    for i in (seq (count $typed))
        if contains -- $typed[$i] --admin --token-file
            set -a server $typed[$i] $typed[(math $i + 1)]
        end
    end
    contains -- --admin $server; or test -n "$SLUICE_ADMIN"; or return
    sluice ctl $server clusters 2>/dev/null | awk 'NR > 1 { print $1 "/" $2 }'
end

set -l commands run check maelstrom demo ctl
set -l of_backend ready drain maintenance trip reset weight
set -l words status clusters listeners sessions events config $of_backend close reload

complete -c sluice -f
complete -c sluice -s h -l help -d 'help'
complete -c sluice -l version -d 'versions'
complete -c sluice -n "not __fish_seen_subcommand_from $commands" -a run -d 'front the services in a file'
complete -c sluice -n "not __fish_seen_subcommand_from $commands" -a check -d 'validate a file'
complete -c sluice -n "not __fish_seen_subcommand_from $commands" -a maelstrom -d 'a Maelstrom node'
complete -c sluice -n "not __fish_seen_subcommand_from $commands" -a demo -d 'see a breaker at work'
complete -c sluice -n "not __fish_seen_subcommand_from $commands" -a ctl -d 'the admin API of a running one'

complete -c sluice -n "__fish_seen_subcommand_from run check maelstrom" -s c -l config -r -F -d 'the configuration file'
complete -c sluice -n "__fish_seen_subcommand_from run check" -l set -x -d 'override one setting'
complete -c sluice -n "__fish_seen_subcommand_from run check" -l workers -x -d 'worker threads'
complete -c sluice -n "__fish_seen_subcommand_from run check" -l log-level -x -a 'debug info warning error'
complete -c sluice -n "__fish_seen_subcommand_from maelstrom" -l manual-clock -d "time moves only by the message 'advance'"
complete -c sluice -n "__fish_seen_subcommand_from maelstrom" -l service -x -d 'who carries out read, write and cas'
complete -c sluice -n "__fish_seen_subcommand_from maelstrom" -l service-timeout -x -d 'milliseconds its answer is waited for'
complete -c sluice -n "__fish_seen_subcommand_from demo" -l seconds -x -d 'how long it runs'

complete -c sluice -n "__fish_seen_subcommand_from ctl" -l admin -x -d 'where its admin.address is'
complete -c sluice -n "__fish_seen_subcommand_from ctl" -l token-file -r -F -d 'the same file as its admin.token_file'
complete -c sluice -n "__fish_seen_subcommand_from ctl" -l json -d 'print what the API answers'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and not __fish_seen_subcommand_from $words" -a "$words"
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from $of_backend" -a '(__sluice_backends)'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from drain" -l process -d 'the whole process'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from sessions" -l limit -x -d 'how many'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from sessions" -l listener -x -d 'only what came in there'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from sessions" -l cluster -x -d 'only what went there'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from sessions" -l backend -x -a '(__sluice_backends)' -d 'only what is at this one'
complete -c sluice -n "__fish_seen_subcommand_from ctl; and __fish_seen_subcommand_from sessions" -l after -x -d 'only what is listed behind this one'
