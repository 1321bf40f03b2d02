// Where each number stands, in each of the views; "–" where it has no counterpart. A quantity that
// stands in one place only is there all the same: what a view shows must be in this table.
//
// The columns: what the script did; what its backends saw; /api and `ctl --json`, by the JSON's
// keys; the tables of `ctl`; /metrics, {by the values of further labels}; the access log, summed up
// (with what the API says of live sessions where it says so); the dashboard. Lines are as long as a
// row of it must be.

import { readTable } from '../support/agreement.mjs';
import {
  BYTES_BOUNDS,
  CONNECT_BOUNDS,
  DURATION_BOUNDS,
  OUTCOMES,
  PROBE_RESULTS,
  REASONS,
  REJECTIONS,
} from '../support/words.mjs';

const LISTS = {
  reason: REASONS,
  rejection: REJECTIONS,
  outcome: OUTCOMES,
  result: PROBE_RESULTS,
  bytes: BYTES_BOUNDS,
  seconds: DURATION_BOUNDS,
  wait: CONNECT_BOUNDS,
  errno: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'],
  detector: ['success_rate', 'failure_percentage', 'early_close'],
};

const PROCESS = `
quantity              | script              | api, ctl --json              | ctl                           | metrics                             | log   | page
version               | –                   | version                      | version                       | –                                   | –     | version
state                 | state               | state                        | state                         | –                                   | –     | state
process id            | –                   | pid                          | pid                           | –                                   | –     | pid
age, ms               | –                   | uptime_ms                    | uptime                        | –                                   | –     | uptime
begun at, ms          | –                   | started_at                   | –                             | process_start_time_seconds          | –     | –
the time              | –                   | time                         | –                             | –                                   | –     | –
workers               | workers             | workers                      | workers                       | –                                   | –     | workers
listeners             | listeners           | listeners                    | listeners & rows of listeners | –                                   | –     | rows of listeners
clusters              | clusters            | clusters                     | clusters                      | –                                   | –     | rows of clusters
backends              | backends            | backends.total               | backends of & rows of clusters | –                                  | –     | title backends & verdict out of & verdict at the limit of & backends count & rows of backends
available ones        | available           | backends.available           | backends available            | sum of available                    | –     | title available
that take clients now | take clients        | backends that are available  | –                             | –                                   | –     | –
left out              | left out            | –                            | –                             | –                                   | –     | verdict out & verdict show all & left out count
at the limit          | at the limit        | –                            | –                             | –                                   | –     | verdict at the limit
left out on purpose   | left out on purpose | –                            | –                             | –                                   | –     | verdict on purpose
live sessions         | sessions            | connections.active & sessions.total | connections & rows of sessions | sum of workers & sum of listeners | –     | tile Sessions & sessions count & rows of sessions
sessions at most      | sessions at most    | connections.max              | connections of                | –                                   | –     | tile Sessions at most
workers all asked     | yes                 | sessions.complete            | –                             | –                                   | –     | –
ended sessions        | ended               | –                            | –                             | –                                   | lines | –
events                | events              | events                       | –                             | –                                   | –     | timeline
connects/s            | connects/s          | –                            | –                             | –                                   | –     | tile Connects per second & tile Connects per second, most
failures/s            | failures/s          | –                            | –                             | –                                   | –     | tile Failures per second & tile Failures per second, most
received/s            | received/s          | –                            | –                             | –                                   | –     | tile Received from clients & tile Received from clients, most
sent/s                | sent/s              | –                            | –                             | –                                   | –     | tile Sent to clients & tile Sent to clients, most
connect time, slowest | –                   | slowest p99                  | –                             | –                                   | –     | tile Connect time
lines lost            | none                | –                            | –                             | sluice_log_dropped_total{process} & sluice_log_dropped_total{access} | – | –
lack of our own, <errno> | none             | –                            | –                             | sluice_local_errors_total{<errno>}  | –     | –
refused by the admin side | none            | –                            | –                             | sluice_admin_refused_total{401} & sluice_admin_refused_total{403} | – | –
reloads               | none                | –                            | –                             | sluice_reloads_total{success} & sluice_reloads_total{failure} | – | –
build                 | –                   | –                            | –                             | sluice_build_info                   | –     | –
lag of the control loop | –                 | –                            | –                             | sluice_loop_lag_seconds{control}    | –     | –
CPU time              | –                   | –                            | –                             | process_cpu_seconds_total           | –     | –
virtual memory        | –                   | –                            | –                             | process_virtual_memory_bytes        | –     | –
resident memory       | –                   | –                            | –                             | process_resident_memory_bytes       | –     | –
descriptors           | –                   | –                            | –                             | process_open_fds                    | –     | –
descriptors at most   | –                   | –                            | –                             | process_max_fds                     | –     | –
threads               | –                   | –                            | –                             | process_threads                     | –     | –
`;

const WORKER = `
quantity | script | api, ctl --json | ctl         | metrics                          | log | page
sessions | –      | connections     | connections | sluice_worker_connections_active | –   | –
pipes    | –      | –               | –           | sluice_pipes                     | –   | –
lag      | –      | –               | –           | sluice_loop_lag_seconds          | –   | –
`;

const LISTENER = `
quantity                   | script                   | api, ctl --json      | ctl     | metrics                                       | log                      | page
address                    | –                        | addresses            | ADDRESS | –                                             | –                        | addresses
cluster                    | cluster                  | cluster              | CLUSTER | –                                             | –                        | Cluster
sessions at most           | at most                  | max_connections      | MAX     | –                                             | –                        | Sessions at most
accepted                   | accepted                 | connections_total    | –       | sluice_listener_connections_total             | –                        | Accepted
accepted/s                 | accepted/s               | –                    | –       | –                                             | –                        | Accepted/s
live sessions              | active                   | active_connections   | ACTIVE  | sluice_listener_connections_active            | –                        | Sessions
ended                      | ended                    | –                    | –       | sum of ends & sluice_session_duration_seconds_count & sluice_session_bytes_count{received} & sluice_session_bytes_count{sent} | lines | –
ended <reason>             | ended <reason>           | ends.<reason>        | –       | sluice_session_ends_total{<reason>}           | <reason>                 | –
turned away                | turned away              | –                    | –       | sum of rejected                               | turned away              | Rejected
turned away <rejection>    | ended <rejection>        | rejected.<rejection> | –       | sluice_listener_rejected_total{<rejection>}   | <rejection>              | Rejected <rejection>
received by ended          | received by ended        | –                    | –       | sluice_session_bytes_sum{received}            | received                 | –
sent by ended              | sent by ended            | –                    | –       | sluice_session_bytes_sum{sent}                | sent                     | –
received up to <bytes>     | received up to <bytes>   | –                    | –       | sluice_session_bytes_bucket{received,<bytes>} | received up to <bytes>   | –
sent up to <bytes>         | sent up to <bytes>       | –                    | –       | sluice_session_bytes_bucket{sent,<bytes>}     | sent up to <bytes>       | –
ended, of any size         | ended                    | –                    | –       | sluice_session_bytes_bucket{received,+Inf} & sluice_session_bytes_bucket{sent,+Inf} & sluice_session_duration_seconds_bucket{+Inf} | – | –
seconds of ended           | –                        | –                    | –       | sluice_session_duration_seconds_sum           | seconds                  | –
ended within <seconds>     | –                        | –                    | –       | sluice_session_duration_seconds_bucket{<seconds>} | seconds up to <seconds> | –
pauses                     | none                     | –                    | –       | sluice_accept_paused_total{process_limit} & sluice_accept_paused_total{listener_limit} & sluice_accept_paused_total{shortage} | – | –
idle timeout, ms           | –                        | idle_timeout_ms      | –       | –                                             | –                        | –
longest life, ms           | –                        | max_duration_ms      | –       | –                                             | –                        | –
`;

const CLUSTER = `
quantity                    | script             | api, ctl --json                 | ctl           | metrics                                       | log                          | page
policy                      | policy             | policy                          | –             | –                                             | –                            | policy
backends                    | backends           | backends & priorities.0.backends | rows         | –                                             | –                            | Available of
available ones              | available          | available_backends              | –             | sluice_cluster_available_backends             | –                            | Available
that take clients now       | take clients       | backends that are available     | –             | –                                             | –                            | –
connections                 | active             | active_connections              | sum of ACTIVE | sum of backends                               | –                            | Sessions
clients that wait           | waiting            | pending.waiting                 | –             | sluice_cluster_pending                        | –                            | Waiting
that may wait               | waiting at most    | pending.max                     | –             | –                                             | –                            | –
connections of each at most | each at most       | limits.max_connections_per_backend | –          | –                                             | –                            | –
connected                   | connected          | –                               | –             | sluice_connect_duration_seconds_count & sluice_connect_duration_seconds_bucket{+Inf} | connected, and live | –
connected of ended          | connected of ended | –                               | –             | –                                             | connected                    | –
seconds to connect          | –                  | –                               | –             | sluice_connect_duration_seconds_sum           | seconds to connect, and live | –
connected within <wait>     | –                  | connect_ms within <wait>        | –             | sluice_connect_duration_seconds_bucket{<wait>} | connected up to <wait>, and live | –
retries                     | retries            | –                               | –             | sluice_connect_retries_total                  | retries, and live            | –
retries of ended            | retries of ended   | –                               | –             | –                                             | retries                      | –
opened by failures          | opened by failures | –                               | –             | sluice_ejections_total{consecutive_failures,false} | –                       | –
other detectors <detector>  | none               | –                               | –             | sluice_ejections_total{<detector>,false} & sluice_ejections_total{<detector>,true} | – | –
ejected ones                | none               | ejected_backends                | –             | –                                             | –                            | –
panics                      | none               | –                               | –             | sluice_cluster_panic & sluice_cluster_panics_total | –                       | –
is in panic                 | no                 | priorities.0.in_panic           | –             | –                                             | –                            | –
connects/s                  | connects/s         | –                               | –             | –                                             | –                            | Connects/s
failures/s                  | failures/s         | –                               | –             | –                                             | –                            | Failures/s
priority                    | –                  | priorities.0.priority           | –             | –                                             | –                            | –
share of the priority       | –                  | priorities.0.share_percent      | –             | –                                             | –                            | –
connections at most         | –                  | limits.max_connections          | –             | –                                             | –                            | –
queue timeout, ms           | –                  | pending.queue_timeout_ms        | –             | –                                             | –                            | –
panic threshold             | –                  | panic_threshold                 | –             | –                                             | –                            | –
`;

const BACKEND = `
quantity              | script               | backends | api, ctl --json              | ctl      | metrics                                      | log       | page
address               | address              | –        | address                      | ADDRESS  | –                                            | –         | address & sheet address
priority              | none                 | –        | priority                     | –        | –                                            | –         | sheet priority
weight                | weight               | –        | weight                       | WEIGHT   | –                                            | –         | Weight
configured weight     | configured weight    | –        | configured_weight            | –        | –                                            | –         | Weight configured
standing              | standing             | –        | –                            | –        | –                                            | –         | standing
takes clients now     | takes clients        | –        | available                    | –        | –                                            | –         | –
causes                | causes               | –        | left_out_by                  | OUT BY   | –                                            | –         | sheet causes
administrative        | administrative       | –        | administrative.state         | STATE    | –                                            | –         | Administrative & sheet administrative
as configured         | configured           | –        | administrative.configured    | –        | –                                            | –         | sheet configured
health                | health               | –        | health                       | HEALTH   | sluice_backend_health                        | –         | Health & sheet health
last known health     | last known health    | –        | health.state                 | –        | –                                            | –         | –
is probed             | is probed            | –        | health.probes                | –        | –                                            | –         | –
passed in a row       | passed in a row      | –        | health.passed_in_row         | –        | –                                            | –         | sheet passed in a row
failed in a row       | failed in a row      | –        | health.failed_in_row         | –        | –                                            | –         | sheet failed in a row
probes <result>       | probes <result>      | –        | –                            | –        | sluice_probes_total{<result>}                | –         | –
probes that came      | probes passed        | probes   | –                            | –        | –                                            | –         | –
breaker               | breaker              | –        | breaker                      | BREAKER  | –                                            | –         | Breaker & sheet breaker
breaker, though off   | breaker or closed    | –        | breaker.state                | –        | sluice_breaker_state                         | –         | –
has a breaker         | has a breaker        | –        | breaker.enabled              | –        | –                                            | –         | –
failures in a row     | failures in a row    | –        | breaker.consecutive_failures | FAILURES | –                                            | –         | sheet failures in a row
that opened it        | failures that opened it | –     | –                            | –        | –                                            | –         | sheet failures that opened it & timeline failures that opened it
opened                | opened               | –        | breaker.opens                | OPENS    | sluice_breaker_transitions_total{open}       | –         | sheet opened & timeline opened
closed                | closed               | –        | –                            | –        | sluice_breaker_transitions_total{closed}     | –         | timeline closed
half-opened           | none                 | –        | –                            | –        | sluice_breaker_transitions_total{half_open}  | –         | timeline half_open
open for, ms          | open for             | –        | –                            | –        | –                                            | –         | timeline trial after
trial in, ms          | trial in             | –        | breaker.retry_in_ms          | trial in | –                                            | –         | trial in & sheet trial in
trial at              | –                    | –        | breaker.retry_at             | –        | –                                            | –         | –
ejected by            | –                    | –        | breaker.ejected_by           | –        | –                                            | –         | –
changes of its state  | administrative changes | –      | –                            | –        | –                                            | –         | timeline administrative
changes of its health | health changes       | –        | –                            | –        | –                                            | –         | timeline health
changes of its weight | weight changes       | –        | –                            | –        | –                                            | –         | timeline weight
events                | events               | –        | –                            | –        | –                                            | –         | timeline
connections           | active               | open     | active_connections           | ACTIVE   | sluice_backend_connections_active            | –         | Sessions
connections, in words | active as told       | –        | –                            | –        | –                                            | –         | sheet sessions
connects <outcome>    | <outcome>            | –        | connects.<outcome>           | –        | sluice_backend_connects_total{<outcome>}     | –         | sheet <outcome>
connections it saw    | connected            | accepted | connect_ms of any            | –        | –                                            | –         | –
connected of ended    | connected of ended   | –        | –                            | –        | –                                            | connected | –
received              | received             | received | received_bytes               | –        | sluice_bytes_total{received}                 | –         | –
sent                  | sent                 | sent     | sent_bytes                   | –        | sluice_bytes_total{sent}                     | –         | –
received by ended     | received by ended    | –        | –                            | –        | –                                            | received  | –
sent by ended         | sent by ended        | –        | –                            | –        | –                                            | sent      | –
connects/s            | connects/s           | –        | –                            | –        | –                                            | –         | Connects/s & sheet Connects per second
failures/s            | failures/s           | –        | –                            | –        | –                                            | –         | Failures/s & sheet Failures per second
received/s            | received/s           | –        | –                            | –        | –                                            | –         | In/s & sheet Received from clients
sent/s                | sent/s               | –        | –                            | –        | –                                            | –         | Out/s & sheet Sent to clients
connected within <wait> | –                  | –        | connect_ms within <wait>     | –        | –                                            | –         | –
connect time, p50     | –                    | –        | connect_ms.p50               | –        | –                                            | –         | p50 & sheet p50 & sheet p50 since the start
connect time, p99     | –                    | –        | connect_ms.p99               | –        | –                                            | –         | p99 & sheet p99 & sheet p99 since the start
`;

// Live, and connected to a backend.
const SESSION = `
quantity    | script      | api, ctl --json | ctl         | page
listener    | listener    | listener        | LISTENER    | Listener
cluster     | cluster     | cluster         | cluster     | –
backend     | backend     | backend         | backend     | backend
state       | state       | state           | STATE       | state
attempts    | attempts    | attempts        | –           | attempts
received    | received    | received        | RECEIVED    | Received
sent        | sent        | sent            | SENT        | Sent
policy      | policy      | why.policy      | policy      | policy
trial       | trial       | why.trial       | trial       | trial
passed over | passed over | why.passed_over | passed over | passed over
connect, ms | –           | connect_ms      | –           | Connect
age, ms     | –           | duration_ms     | AGE         | Age
begun at    | –           | started_at      | –           | –
id          | –           | id              | SESSION     | –
worker      | –           | worker          | –           | –
`;

// Live, and waiting for a place: the page does not say yet why it went anywhere.
const WAITING = `
quantity    | script      | api, ctl --json | ctl         | page
listener    | listener    | listener        | LISTENER    | Listener
cluster     | cluster     | cluster         | cluster     | –
backend     | backend     | backend         | backend     | backend
state       | state       | state           | STATE       | state
attempts    | attempts    | attempts        | –           | –
received    | received    | received        | RECEIVED    | Received
sent        | sent        | sent            | SENT        | Sent
policy      | policy      | why.policy      | policy      | –
trial       | trial       | why.trial       | trial       | –
passed over | passed over | why.passed_over | passed over | –
connect, ms | –           | connect_ms      | –           | Connect
age, ms     | –           | duration_ms     | AGE         | Age
begun at    | –           | started_at      | –           | –
id          | –           | id              | SESSION     | –
worker      | –           | worker          | –           | –
`;

// Each line of the access log.
const ENDED = `
quantity    | script      | log
listener    | listener    | listener
cluster     | cluster     | cluster
backend     | backend     | backend
attempts    | attempts    | attempts
received    | received    | received
sent        | sent        | sent
reason      | reason      | reason
connected   | connected   | connected
policy      | policy      | policy
trial       | trial       | trial
passed over | passed over | passed_over
connect, ms | –           | connect_ms
lasted, ms  | –           | duration_ms
ended at    | –           | time
`;

export const TABLE = [
  ...readTable('process', PROCESS, LISTS),
  ...readTable('worker', WORKER, LISTS),
  ...readTable('listener', LISTENER, LISTS),
  ...readTable('cluster', CLUSTER, LISTS),
  ...readTable('backend', BACKEND, LISTS),
  ...readTable('session', SESSION, LISTS),
  ...readTable('waiting', WAITING, LISTS),
  ...readTable('ended', ENDED, LISTS),
];
