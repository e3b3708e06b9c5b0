// Warns a citizen before the session ends, so that nothing typed is lost. What it does and how to
// include it: "Session timer" in the manual. It is served without its comments and indents
// (timer.rs), so no string may go over two lines and no statement may lean on a line break.
(() => {
  'use strict';
  const script = document.currentScript;
  const once = Symbol.for('brama.session');
  // A picture of that name on the page would otherwise be taken for it.
  if (!(script instanceof HTMLScriptElement) || document[once]) return;
  const base = new URL('.', script.src);
  // The cookie of the session belongs to one host.
  if (base.origin !== location.origin) return;
  document[once] = true;

  const option = (name, usual, least) => {
    const value = parseInt(script.dataset[name], 10);
    return (value >= least ? value : usual) * 1000;
  };
  // WCAG 2.2.1: at least 20 seconds to answer.
  const warnBefore = option('warnSeconds', 120, 20);
  const pollEvery = option('pollSeconds', 60, 5);
  const patience = 10000;
  const longest = Math.max(pollEvery, 60000) * 8;
  const data = script.dataset;
  const wanted = data.lang || document.documentElement.lang || '';
  const lang = (/^(en|uk)\b/i.exec(wanted) ?? ['pl'])[0].toLowerCase();
  const words = WORDS[lang];
  // The name of what the tabs share.
  const key = `brama ${base.pathname}`;
  // A frame leaves the talking to the page around it.
  const talks = data.banner !== 'off' && window === top;

  // What the gateway said last; times by the clock on the wall, which goes on while the computer sleeps.
  let known;
  // Whose page this is, as far as scripts may know, and how surely they had signed in.
  let owner, level;
  // 'idle' or 'final' once the citizen was warned; why it ended, once the gateway said so.
  let warned, ended;
  let asking, keeping, timer;
  let failures = 0, nextAsk = 0, askedAt = 0;

  const emit = (name, detail) =>
    document.dispatchEvent(new CustomEvent(`brama:${name}`, { detail }));
  const isIn = () => known && known.signedIn;
  const left = () => Math.max(0, known.end - Date.now());
  // Not in the first 20 seconds of an idle time, nor in the first half of a short one.
  const notice = () => Math.min(warnBefore, known.idle - Math.min(known.idle / 2, 20000));
  const warnAt = () => known.end - notice();

  // Asks how the session is, or says that the citizen is still there.
  async function ask() {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    const keep = keeping;
    const at = askedAt = Date.now();
    const abort = new AbortController();
    const alarm = setTimeout(() => abort.abort(), patience);
    let heard;
    try {
      const response = await fetch(new URL(keep ? 'keepalive' : 'session', base), {
        method: keep ? 'POST' : 'GET',
        headers: { Accept: 'application/json' },
        cache: 'no-store',
        credentials: 'same-origin',
        redirect: 'error',
        signal: abort.signal,
      });
      // Anything but a plain answer says nothing about the session.
      if (response.status === 200) heard = read(await response.json(), at);
    } catch {
      // Away, or not ours: counted below.
    }
    clearTimeout(alarm);
    asking = false;
    if (!heard) return fail();
    failures = 0;
    share(heard);
    if (keep) keeping = false;
    hear(heard, true);
    if (keeping && isIn()) ask();
  }

  function read(answer, at) {
    if (answer.signed_in === false) return { at, signedIn: false, why: answer.ended };
    const times = [answer.seconds_left, answer.absolute_seconds_left, answer.idle_seconds];
    // A gateway of another age, or no gateway: no news.
    if (answer.signed_in !== true || !times.every(Number.isFinite)) return;
    return {
      at,
      signedIn: true,
      end: at + answer.seconds_left * 1000,
      last: at + answer.absolute_seconds_left * 1000,
      idle: answer.idle_seconds * 1000,
      level: answer.acr,
      who: [answer.given_name, answer.family_name].join(' ').trim(),
    };
  }

  // Takes in what the gateway said, to this tab or to another one.
  function hear(next, own) {
    // Of what other tabs heard, only the newest counts. A clock may be set back; own ears are right.
    if (!own && known && next.at < known.at) return;
    // Who it is that signed in again, this tab wants to know itself.
    if (ended && next.signedIn && !next.who && !own) return ask();
    const before = known;
    known = next;
    const now = Date.now();
    if (next.signedIn) {
      owner = owner || next.who;
      level = next.level;
      nextAsk = now + pollEvery * (document.hidden ? 5 : 1) * (1 + Math.random() / 4);
      if ((next.who || own) && next.who !== owner) {
        finish('changed');
      } else if (ended) {
        ended = warned = null;
        close();
        say(words.resumed);
        emit('resumed', { end: next.end });
      } else if (before && before.signedIn && next.end > before.end + 2000) {
        emit('extended', { end: next.end });
      }
      if (!ended && now >= warnAt()) {
        warn();
        nextAsk = Math.min(nextAsk, now + 15000);
      } else {
        if (warned) {
          warned = null;
          close();
          say(words.extended);
        }
        // Just before a warning it is asked again: another tab may have been used.
        nextAsk = Math.min(nextAsk, Math.max(warnAt(), now + 1000));
      }
      nextAsk = Math.min(nextAsk, Math.max(next.end, now) + 1000);
    } else if (before && before.signedIn) {
      finish(next.why || (now > before.end - 5000 ? 'expired' : 'signed_out'));
    }
    plan();
  }

  // Nothing was heard. That is no news about the session, so nothing is claimed.
  function fail() {
    failures += 1;
    const wait = Math.min(60000, 1000 * 2 ** failures);
    nextAsk = Date.now() + wait * (1 + Math.random() / 4);
    // A citizen who asked for it is still asked for; mere typing is not made up for later.
    keeping = keeping && Boolean(warned);
    if (keeping) show(warned);
    if (isIn() && !ended && Date.now() >= warnAt()) warn();
    draw();
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (asking || ended || (known && !known.signedIn)) return;
    const now = Date.now();
    let next = nextAsk;
    if (warned) next = Math.min(next, now + 1000);
    else if (known && failures) next = Math.min(next, Math.max(warnAt(), now + 1000));
    timer = setTimeout(wake, Math.min(longest, Math.max(0, next - now)));
  }

  function wake() {
    const wait = nextAsk - Date.now();
    // Longer than it can be: the clock was set back.
    if (wait <= 0 || wait > longest) return ask();
    if (failures && isIn() && Date.now() >= warnAt()) warn();
    draw();
    plan();
  }

  function warn() {
    // So near its last end, "stay" would only lead to the next warning.
    const kind = known.last - Date.now() <= notice() ? 'final' : 'idle';
    if (warned === kind) return;
    warned = kind;
    emit('warn', { end: known.end, extendable: kind === 'idle' });
    // What cannot be changed is said once, not on each page.
    if (kind === 'idle' || !isPutAside()) show(kind);
  }

  function isPutAside() {
    try {
      return Math.abs(sessionStorage.getItem(key) - known.last) < 10000;
    } catch {
      return false;
    }
  }

  function putAside() {
    try {
      sessionStorage.setItem(key, known.last);
    } catch {
      // No storage: it is said again.
    }
  }

  function finish(why) {
    if (ended === why) return;
    ended = why;
    warned = null;
    keeping = false;
    emit('ended', { reason: why });
    show(why);
  }

  function stay() {
    keeping = true;
    ask();
  }

  // The dialog, made when it is first needed. In a shadow, so that no style of the page reaches it;
  // made of nodes and a sheet, so that no policy against inline style or Trusted Types minds.
  let dialog, title, text, more, note, spoken, quiet, actions, shown, step;
  const make = (tag, properties, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  function build() {
    title = make('h2', { id: 'title', tabindex: '-1' });
    text = make('p', { id: 'text' });
    more = make('p', { id: 'more' });
    note = make('p', { class: 'note', role: 'status' });
    spoken = make('p', { class: 'spoken', role: 'status' });
    quiet = make('p', { class: 'spoken', role: 'status' });
    actions = make('div', { class: 'actions' });
    dialog = make('dialog', {
      role: 'alertdialog', 'aria-labelledby': 'title', 'aria-describedby': 'text more',
    }, title, text, more, note, spoken, actions);
    // Escape is an answer too: somebody is there.
    dialog.addEventListener('close', () => {
      if (dialog.open) return;
      const kind = shown;
      shown = null;
      if (kind === 'idle') stay();
      if (kind === 'final') putAside();
    });
    const host = make('brama-session', { lang });
    const root = host.attachShadow({ mode: 'open' });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      // An old browser shows its own plain dialog.
    }
    root.append(dialog, quiet);
    document.body.append(host);
  }

  function show(kind) {
    if (!talks || (shown === kind && dialog.open)) return;
    if (!dialog) build();
    shown = kind;
    step = null;
    spoken.textContent = '';
    const button = (label, act, look) => {
      const element = make('button', { type: 'button', class: look || '' }, label);
      element.addEventListener('click', act);
      return element;
    };
    const here = location.pathname + location.search;
    const again = () => {
      const link = new URL('login', base);
      const query = link.searchParams;
      query.set('return_to', data.return || here);
      query.set('assurance', level);
      if (kind === 'final') query.set('max_age', '0');
      // A new tab: this one keeps what was typed.
      return make('a', { href: link, target: '_blank', rel: 'noopener' }, words.again);
    };
    const leave = () => make('form', { method: 'post', action: new URL('logout', base) },
      make('button', { class: 'plain' }, words.leave));
    title.textContent = words[`${kind}_title`] || words.ended_title;
    const reload = () => location.replace(here);
    const offers = {
      idle: () => [button(words.stay, stay), leave()],
      final: () => [again(), button(words.back, () => dialog.close(), 'plain'), leave()],
      changed: () => [button(words.reload, reload)],
    };
    actions.replaceChildren(...(offers[kind] || (() => [again(), button(words.back, close, 'plain')]))());
    draw();
    if (!dialog.open) dialog.showModal();
    // Whoever is typing just now should not press a button that leads away.
    (kind === 'idle' ? actions.firstChild : title).focus();
  }

  function close() {
    shown = null;
    if (dialog && dialog.open) dialog.close();
  }

  // Says something to whoever hears the page rather than sees it.
  function say(what) {
    if (!talks) return;
    if (!dialog) build();
    put(dialog.open ? spoken : quiet, what);
  }

  // Written anew, a text would be read out anew.
  function put(element, what) {
    if (element.textContent !== what) element.textContent = what;
  }

  function draw() {
    if (!shown) return;
    const warns = shown === warned;
    put(note, warns && failures ? words.trouble : '');
    put(more, warns || shown === 'changed' ? '' : words.kept);
    if (!warns) return put(text, words[shown] || words.expired);
    const seconds = Math.ceil(left() / 1000);
    put(text, seconds ? words[shown].replace('{time}', time(seconds)) : words.checking);
    // Heard at each minute, at 30 seconds and at 15; the first is heard with the dialog.
    const now = [15, 30, 60].find((least) => seconds <= least) || Math.ceil(seconds / 60) * 60;
    if (step && step !== now) say(text.textContent);
    step = now;
  }

  function time(seconds) {
    const inMinutes = seconds > 60;
    const count = inMinutes ? Math.ceil(seconds / 60) : seconds;
    const form = { one: 0, few: 1 }[new Intl.PluralRules(lang).select(count)] ?? 2;
    return `${count} ${(inMinutes ? words.minutes : words.seconds)[form]}`;
  }

  // One tab asks, all hear it. No name is written to a disk.
  let share;
  if (window.BroadcastChannel) {
    const channel = new BroadcastChannel(key);
    channel.onmessage = (event) => hear(event.data);
    share = (state) => channel.postMessage(state);
  } else {
    addEventListener('storage', (event) => {
      if (event.key === key && event.newValue) hear(JSON.parse(event.newValue));
    });
    share = (state) => {
      try {
        localStorage.setItem(key, JSON.stringify({ ...state, who: '' }));
        localStorage.removeItem(key);
      } catch {
        // No storage: each tab asks for itself.
      }
    };
  }

  // Back from another tab, from sleep, from the history, or from a tunnel: what was known may be old.
  const look = () => {
    if (!document.hidden && (failures || Math.abs(Date.now() - askedAt) > 2000)) ask();
  };
  document.addEventListener('visibilitychange', look);
  addEventListener('pageshow', (event) => event.persisted && look());
  addEventListener('online', look);
  document.addEventListener('brama:extend', stay);

  // Typing a long text is a sign of life that no request shows: told when a fifth of the time is over.
  if (data.extendOnActivity !== 'off') {
    const alive = (event) => {
      if (!event.isTrusted || !isIn() || warned || ended || failures) return;
      if (known.last > known.end && left() < known.idle * 0.8) stay();
    };
    for (const type of ['keydown', 'pointerdown', 'input']) {
      addEventListener(type, alive, { capture: true, passive: true });
    }
  }

  ask();
})();
