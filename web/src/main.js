// Wiring only: snapshots and events into the model, the model into the views.

import { Api, ApiError, backendPath, sessionsPath } from './api.js';
import { ServerClock } from './clock.js';
import { EventFollower, textsOf } from './events.js';
import { Model } from './model.js';
import { Poller } from './poller.js';
import { ACTIONS } from './words.js';
import { BackendsView } from './views/backends.js';
import { ClustersView } from './views/clusters.js';
import { Confirm } from './views/confirm.js';
import { Announcer, LinkView, ServingView } from './views/link.js';
import { ListenersView } from './views/listeners.js';
import { SessionsView } from './views/sessions.js';
import { BackendSheet } from './views/sheet.js';
import { TilesView } from './views/tiles.js';
import { TimelineView } from './views/timeline.js';
import { TokenBox } from './views/token.js';
import { VerdictView } from './views/verdict.js';

const TICK_MS = 250;

const now = () => performance.now();
const api = new Api({ fetch: (...args) => fetch(...args), storage: findStorage() });
const clock = new ServerClock();
const model = new Model();
const announcer = new Announcer();

// Live is who hears events and gets snapshots.
const standing = { stream: null, snapshots: null, retryAt: NaN };

const confirm = new Confirm({ api });
const openBackend = (backend) => sheet.open(backend, model);
const sheet = new BackendSheet({
  act: askForAction,
  showSessions: (backend) => sessions.goTo(backend),
});
const backends = new BackendsView({ openBackend });
const verdict = new VerdictView({ openBackend, showOut: () => backends.goTo({ standing: 'out' }) });
const tiles = new TilesView();
const clusters = new ClustersView({ show: (cluster) => backends.goTo({ cluster }) });
const listeners = new ListenersView();
const timeline = new TimelineView();
const sessions = new SessionsView({
  ask: async (query) => (await api.get(sessionsPath(query))).body,
  close: askToClose,
});
const serving = new ServingView();
const token = new TokenBox({ api, onChange: retry });
const link = new LinkView({ onRetry: retry });

const timers = {
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (handle) => clearTimeout(handle),
};
const poller = new Poller({ take: takeSnapshot, isHidden: () => document.hidden, now, timers });

const follower = new EventFollower({
  open: async (headers, signal) => textsOf(await api.stream('/api/events', headers, signal)),
  report: { onHello, onEvent, onMissed, onLost },
  timers,
});

function findStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden by the browser's settings
  }
}

// --- snapshots ---------------------------------------------------------------------------------

async function takeSnapshot() {
  const sentAt = now();
  try {
    const [status, clusterList, listenerList] = await Promise.all(
      ['/api/status', '/api/clusters', '/api/listeners'].map((path) =>
        api.get(path).then((answer) => ({ ...answer, at: now() })),
      ),
    );
    clock.add(sentAt, status.at, Date.parse(status.body.time));
    const begun = now();
    model.takeSnapshot(
      { status: status.body, clusters: clusterList.body, listeners: listenerList.body },
      begun,
    );
    standing.snapshots = null;
    token.accepted();
    showLink();
    show();
    return now() - begun;
  } catch (error) {
    standing.snapshots = error;
    if (error.isTokenRefused) token.demand(error);
    showLink();
    throw error;
  }
}

function show() {
  const tick = now();
  const serverNow = clock.at(tick);
  serving.update(model);
  verdict.update(model, serverNow);
  tiles.update(model, tick);
  clusters.update(model);
  listeners.update(model, tick);
  backends.update(model, serverNow, tick);
  timeline.update(model, serverNow);
  sheet.update(model, serverNow, tick);
}

// --- events ------------------------------------------------------------------------------------

function onHello({ isReturn, isRestart }) {
  standing.stream = null;
  model.isHistoryTold = true;
  if (isReturn) {
    announcer.say(isRestart ? 'Connected again: Sluice was restarted' : 'Connected again');
    model.forgetRates();
  }
  showLink();
  poller.now();
}

function onEvent(event, { isNews }) {
  model.takeEvent(event);
  if (isNews) announcer.event(event);
  poller.poke();
  timelineSoon();
}

function onMissed(number) {
  model.eventsLost += number;
  timelineSoon();
}

function onLost({ error, retryInMs }) {
  standing.stream = error;
  standing.retryAt = now() + retryInMs;
  if (error.isTokenRefused) token.demand(error);
  showLink();
}

// A thousand that are caught up with are drawn once.
let isTimelineDue = false;
function timelineSoon() {
  if (isTimelineDue) return;
  isTimelineDue = true;
  requestAnimationFrame(() => {
    isTimelineDue = false;
    timeline.update(model, clock.at(now()));
  });
}

// --- the link ----------------------------------------------------------------------------------

function showLink() {
  const error = standing.stream ?? standing.snapshots;
  if (!error) {
    if (model.status) link.showLive();
    return;
  }
  if (!link.isLost) announcer.say('Connection lost');
  const tick = now();
  link.showLost({
    why: error instanceof ApiError ? error.message : 'the event stream broke off',
    retryAt: standing.retryAt,
    asOf: model.status ? clock.at(tick) : NaN,
    tick,
  });
}

function retry() {
  standing.retryAt = NaN;
  poller.now();
  follower.retryNow();
}

// --- actions -----------------------------------------------------------------------------------

function askForAction(backend, action) {
  const { label, title, text, done } = ACTIONS[action];
  const { cluster, name } = backend;
  confirm.ask({
    title: title(name),
    text: text(backend.sessions),
    label,
    isHarsh: action !== 'ready' && action !== 'reset',
    run: async () => {
      await api.post(backendPath(cluster, name, action));
      token.accepted();
      announcer.say(`Done: ${done(name)}`);
      poller.poke();
    },
  });
}

function askToClose(session) {
  confirm.ask({
    title: 'Close this session?',
    text: `${session.client} to ${session.backend ?? 'no backend yet'}: both sides get a reset.`,
    label: 'Close session',
    isHarsh: true,
    run: async () => {
      await api.post(`/api/sessions/${encodeURIComponent(session.id)}/close`);
      token.accepted();
      announcer.say(`Done: the session of ${session.client} is closed`);
      sessions.refresh();
    },
  });
}

// --- time --------------------------------------------------------------------------------------

setInterval(() => {
  const tick = now();
  const serverNow = clock.at(tick);
  link.tick(tick);
  if (document.hidden || !model.status) return;
  verdict.tick(serverNow);
  backends.tick(serverNow);
  sheet.tick(serverNow);
  sessions.tick(tick);
}, TICK_MS);

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) poller.now();
});
window.addEventListener('online', retry);

poller.now();
follower.run();
