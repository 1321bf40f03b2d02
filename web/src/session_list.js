// What the list of live sessions shows, and what it says of those that it does not.

import { count, formatCount } from './format.js';

// `only` is {cluster, backend}, or null for all; every word of `text` must be in its client,
// listener, cluster or backend.
export function select(sessions, { only, text }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return sessions.filter((session) => {
    const { client, listener, cluster, backend } = session;
    if (only && (cluster !== only.cluster || backend !== only.backend)) return false;
    const its = `${client}\n${listener}\n${cluster}\n${backend ?? ''}`.toLowerCase();
    return words.every((word) => its.includes(word));
  });
}

// How many there are of what is asked for, and whether all of them were looked at. A server that
// tells `matching` has looked for those of `only` itself.
function extentOf({ total, matching, sessions }, only) {
  const all = only && matching !== undefined ? matching : total;
  const isKnown = !only || matching !== undefined || total <= sessions.length;
  return { all, isKnown, isPart: all > sessions.length };
}

export function describeCount(answer, { only }) {
  const { all, isKnown, isPart } = extentOf(answer, only);
  const looked = formatCount(answer.sessions.length);
  const gaps = answer.complete === false ? ' · some workers did not answer' : '';
  if (!isKnown) return `only the youngest ${looked} of ${formatCount(all)} were looked at${gaps}`;
  if (isPart) return `the youngest ${looked} of ${formatCount(all)}${gaps}`;
  return formatCount(select(answer.sessions, { only, text: '' }).length) + gaps;
}

// Why nothing is shown.
export function describeNone(answer, { only, text }) {
  const { isPart } = extentOf(answer, only);
  const looked = count(answer.sessions.length, 'session');
  const isFiltered = text.trim() !== '' && answer.sessions.length > 0;
  if (isPart) return `None of the youngest ${looked} matches; older ones were not looked at.`;
  if (isFiltered) return 'No session matches.';
  if (only) return `${only.backend} of ${only.cluster} has no live session.`;
  return 'There is no live session.';
}
