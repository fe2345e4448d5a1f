// The page: hears, keeps what was heard, draws it, asks. What it shows is a function of what the station said last (model.js, now.js).
import { html, render } from '/vendor/lit-html.js';
import { Calibrations } from '/calibrate.js';
import { check, LastCheck } from '/check.js';
import { episode } from '/episode.js';
import { episodes, Shelf } from '/episodes.js';
import { rigName } from '/frame.js';
import { Link, FULL, REPLACED, SLEPT, UNPAIRED } from '/link.js';
import { actionOf, holds, keyed, pressing } from '/model.js';
import { now } from '/now.js';
import { Plans, plan } from '/plan.js';
import { Player } from '/player.js';
import { Records, rig } from '/rig.js';
import { Policies, policies } from '/policies.js';
import { route } from '/route.js';
import { Setup, setup } from '/setup.js';
import { say, soundOn } from '/sound.js';
import { Ghost } from '/staging.js';
import { Strips } from '/strips.js';
import { Tiles } from '/tiles.js';
import { Traces } from '/traces.js';
import { wall } from '/wall.js';
import { t } from '/words.js';

const TOLD_MS = 8000;
const DRAW_MS = 100;

class App {
  constructor() {
    this.store = {
      link: 'connecting', code: 0, welcome: null, state: null, stateAt: 0, asked: new Map(), told: null, question: null, note: null, help: false, processes: null, processesAt: 0, job: null, look: null, typed: null, found: null,
    };
    this.tiles = new Tiles();
    this.strips = new Strips();
    this.form = JSON.parse(localStorage.getItem('begin') ?? '{}');
    this.sound = false;
    this.pairing = '';
    this.route = route('');
    this.shelf = new Shelf(this);
    this.records = new Records(this);
    this.lastCheck = new LastCheck(this);
    this.plans = new Plans(this);
    this.calibrations = new Calibrations(this);
    this.policies = new Policies(this);
    this.setup = new Setup(this);
    this.ghost = new Ghost(this);
    this.player = null;
    this.traces = null;
    this.link = new Link({
      heard: (message) => this.heard(message),
      picture: (place, ageMs, blob) => this.tiles.take(place, ageMs, blob),
      changed: (link, code) => this.changed(link, code),
    });
    document.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('click', (event) => event.target.closest?.('button')?.blur());
    addEventListener('hashchange', () => this.go());
    setInterval(() => this.draw(), DRAW_MS); // ages go on although nothing comes
  }

  async start() {
    const code = location.hash.slice(1);
    if (/^[A-Za-z0-9]{10}$/.test(code)) {
      history.replaceState(null, '', location.pathname);
      await this.pair(code);
    }
    this.go();
    this.link.open();
  }

  /** To the page that the address names. */
  go() {
    this.route = route(location.hash);
    const { page, of, query } = this.route, plays = page === 'episodes' && of;
    if (this.player && this.player.of !== of) {
      this.player.close();
      this.traces.close();
      this.player = this.traces = null;
    }
    Object.assign(this.store, { note: null, question: null });
    this.watch();
    if (this.store.welcome) this.fill(plays, of, query);
    this.draw();
  }

  /** What the page shows besides what is heard. */
  fill(plays, of, query) {
    const row = Number(query.get('row')) || 0;
    if (plays && !this.player) {
      this.player = new Player(of, () => this.draw());
      this.traces = new Traces((at) => { this.player.playing = false; this.player.seek(at); });
      this.player.open(row);
    } else if (plays && this.player.detail) this.player.seek(row);
    else if (this.route.page === 'episodes' || this.route.page === 'trash') this.shelf.look();
    else if (this.route.page === 'rig') this.records.look();
    else if (this.route.page === 'check') this.checked();
    else if (this.route.page === 'plan') this.plans.look();
    else if (this.route.page === 'policies') this.policies.look();
  }

  /** What the last check found, and what is calibrated. */
  checked() {
    this.lastCheck.look();
    this.calibrations.look();
  }

  /** Pictures are sent only while the page shows cameras. */
  watch() {
    const { welcome } = this.store, { page } = this.route;
    const cameras = welcome && ['now', 'wall', 'plan'].includes(page) ? welcome.rig.cameras.slice(0, 8) : [];
    if (welcome) this.link.say({ type: 'watch', cameras, processes: page === 'rig', job: page === 'check' || page === 'setup', policy: page === 'policies', arm: page === 'rig' ? this.route.of.slice(0, 60) : '' });
  }

  async pair(code) {
    const answer = await fetch('/pair', { headers: { 'X-Code': code } }).catch(() => null);
    this.pairing = answer === null ? t('link.lost') : answer.ok ? '' : await answer.text();
    return this.pairing === '';
  }

  // -- heard --

  changed(link, code) {
    Object.assign(this.store, { link, code });
    if (link === 'closed') {
      // what was asked may have been done or not: nobody knows any more
      this.store.asked.clear();
      this.store.question = null;
      if (code === SLEPT) this.store.state = null; // nobody knows how old it is
      this.policies.release();
    }
    this.draw();
  }

  heard(message) {
    const { store } = this;
    if (message.kind === 'welcome') {
      if (store.welcome && store.welcome.version !== message.version) this.tell(t('version'), 'warn', Infinity);
      store.welcome = message;
      if (!message.rig.chosen && !location.hash) location.replace('#/setup');
      this.go();
    } else if (message.kind === 'state') {
      const before = store.state?.session, after = message.session;
      if (before && after && (before.saved !== after.saved || before.discarded !== after.discarded || before.finalising > after.finalising)) this.changedOnDisk();
      store.state = message;
      this.ghost.look();
      store.stateAt = performance.now() - this.link.delay(message.now_ns / 1e6);
      document.title = `${message.session?.phase === 'recording' ? t('title.rec') : ''} ${rigName(store) || 'station'}`;
      this.policies.state(message.session);
      if (store.question && store.question.sequence !== message.session?.sequence) store.question = null; // it was about something else
    } else if (message.kind === 'tick') {
      this.strips.take(message);
      this.policies.tick(message);
      return;
    } else if (message.kind === 'processes') {
      store.processes = message;
      store.processesAt = performance.now() - this.link.delay(message.now_ns / 1e6);
    } else if (message.kind === 'policy') {
      this.policies.take(message, performance.now() - this.link.delay(message.now_ns / 1e6));
    } else if (message.kind === 'job') {
      const before = store.job;
      if (before?.running && !message.running) this.checked();
      if (before?.step !== message.step) store.look = null;
      store.job = message;
      this.policies.job(before, message);
    } else if (message.kind === 'look') {
      store.look = message;
    } else if (message.kind === 'found') {
      store.found = message;
    } else if (message.kind === 'episodes') {
      this.changedOnDisk();
    } else if (message.kind === 'cue') {
      if (this.sound && (holds(store) || store.welcome.role === 'viewer')) say(message);
    } else if (message.kind === 'answer') {
      const asked = store.asked.get(message.id);
      store.asked.delete(message.id);
      const words = asked?.words ?? '';
      if (message.done) asked?.then();
      if (message.done) this.tell(t('done', { what: message.why ? `${words}: ${message.why}` : words }), 'ok');
      else this.tell(t('refused', { why: message.why }), 'bad', Infinity);
    }
    this.draw();
  }

  /** Somebody said something of an episode, or one came or went. */
  changedOnDisk() {
    const { page, of } = this.route;
    if (page === 'plan') this.plans.look();
    if (page !== 'episodes' && page !== 'trash') this.shelf.asked = null; // looked at again when it is opened
    else if (!of) this.shelf.look(true);
    else if (this.player?.detail) {
      const { player } = this, here = () => player === this.player; // it may have been left before the answer comes
      this.shelf.asked = null;
      player.ask('one').then((answer) => answer.json()).then((detail) => { Object.assign(player.detail, detail); this.draw(); }, () => here() && location.assign('#/episodes'));
    }
  }

  tell(words, level, forMs = TOLD_MS) {
    this.store.told = { words, level, until: performance.now() + forMs };
  }

  // -- asked --

  /** `then` is done once it is done, and not before. */
  ask(what, words, message, then = () => {}) {
    if ([...this.store.asked.values()].some((asked) => asked.what === what)) return;
    const id = this.link.ask(message);
    if (!id) return this.tell(t('refused', { why: t('link.lost') }), 'bad');
    this.store.asked.set(id, { what, words, then });
    this.tell(t('asked', { what: words }), 'asked', Infinity);
    this.draw();
  }

  seen() {
    return this.store.state?.session?.sequence ?? 0;
  }

  press(name) {
    const action = actionOf(this.store, name), session = this.store.state?.session;
    if (action && session) this.act(pressing(session, action));
  }

  act(does) {
    if (does.what === 'ask') this.store.question = { name: does.action.name, words: does.words, key: does.action.keys[0], sequence: this.seen() };
    else if (does.what === 'note') this.store.note = this.seen();
    else if (does.what === 'press') this.ask(does.action.name, does.action.label, { type: 'press', name: does.action.name, seen: this.seen() });
    else if (does.what === 'told') this.tell(does.words, 'warn');
    else if (does.what === 'yes') this.answer(true);
    else if (does.what === 'no') this.answer(false);
    else if (does.what === 'help') this.toggleHelp();
    this.draw();
  }

  /** Ask a person before something is asked that is not the session's. */
  confirm(what, label, words, message, then) {
    this.store.question = { words, key: '', sequence: this.seen(), then: () => this.ask(what, label, message, then) };
    this.draw();
  }

  answer(yes) {
    const { question } = this.store;
    this.store.question = null;
    if (yes && question?.then) question.then();
    else if (yes && question) this.ask(question.name, actionOf(this.store, question.name).label, { type: 'press', name: question.name, seen: question.sequence });
    this.draw();
  }

  note(text) {
    const seen = this.store.note;
    this.store.note = null;
    if (text?.trim()) this.ask('note', t('note.label'), { type: 'press', name: 'note', seen, text: text.trim() });
    this.draw();
  }

  begin(data) {
    this.form = Object.fromEntries(data);
    localStorage.setItem('begin', JSON.stringify({ ...this.form, override: '' }));
    const { task, operator = '', instruction = '', scene = '', override = '' } = this.form;
    const number = (name) => Number(this.form[name] || 0);
    this.ask('open', t('begin.button'), {
      type: 'open', seen: this.seen(), task: task.trim(), operator: operator.trim(), instruction: instruction.trim(), scene: scene.trim(),
      episodes: Math.floor(number('episodes')), seconds: number('seconds'), reset_s: number('reset'), override: override.trim(),
    }, () => { this.form.override = ''; }); // the next sitting asks anew
  }

  control(what) {
    this.ask('control', t(`control.${what}`), { type: 'control', what });
  }

  deny() {
    this.ask('deny', t('motion.deny'), { type: 'deny' });
  }

  hold() {
    this.ask('hold', t('hold.arms'), { type: 'hold' });
  }

  park() {
    this.ask('park', t('park'), { type: 'park' });
  }

  toggleSound() {
    this.sound = !this.sound;
    if (this.sound) soundOn();
    this.draw();
  }

  toggleHelp() {
    this.store.help = !this.store.help;
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !this.store.welcome) return;
    if (event.target.closest?.('input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]')) {
      if (event.key === 'Escape' && this.store.note !== null) this.note(null);
      return;
    }
    const name = { ' ': 'space', ArrowLeft: 'left' }[event.key] ?? event.key.toLowerCase();
    if ((name === 'space' || name === 'enter') && event.target.closest?.('button, a')) return; // led there by Tab: that one is meant
    if (name === 'h') return this.hold();
    if (this.route.page !== 'now' && !this.store.question) return (this.route.page === 'policies' && this.policies.key(name)) || this.played(event, name);
    const does = keyed(this.store, name, performance.now());
    if (does.what === 'nothing') return;
    event.preventDefault();
    this.act(does);
  }

  /** Keys of a page on which nothing is recorded: a take is started and ended on the Now page alone. */
  played(event, name) {
    const { player } = this, { help } = this.store;
    if (name === '?' || (name === 'escape' && help)) return this.toggleHelp();
    if (!player?.detail || event.target.closest?.('input')) return;
    const does = { space: () => player.toggle(), left: () => player.step(event.shiftKey ? -player.detail.tick_hz : -1), arrowright: () => player.step(event.shiftKey ? player.detail.tick_hz : 1),
      home: () => player.step(-Infinity), end: () => player.step(Infinity) }[name];
    if (!does) return;
    event.preventDefault();
    does();
  }

  // -- drawn --

  draw() {
    const nowMs = performance.now(), { store } = this;
    if (store.told && nowMs > store.told.until) store.told = null;
    const root = document.getElementById('app');
    if (!this.drawn) root.textContent = ''; // what stood there while this was loaded
    this.drawn = true;
    document.documentElement.dataset.link = store.link;
    if (!store.welcome || store.code === UNPAIRED || store.code === FULL || store.code === REPLACED) render(this.lone(), root);
    else {
      render(this.page(nowMs), root);
      for (const canvas of root.querySelectorAll('canvas[data-place]')) this.tiles.attach(Number(canvas.dataset.place), canvas);
      for (const canvas of root.querySelectorAll('canvas[data-camera]')) if (this.player?.cameras.has(canvas.dataset.camera)) this.player.cameras.get(canvas.dataset.camera).canvas = canvas;
      for (const canvas of root.querySelectorAll('canvas[data-ghost]')) this.ghost.draw(canvas);
      for (const trace of root.querySelectorAll('.trace')) this.traces?.attach(trace, this.player);
      if (this.player?.detail) this.traces.show(this.player);
      for (const strip of root.querySelectorAll('.strip[data-arm]')) this.strips.attach(strip, Number(strip.dataset.arm), store.state?.widths);
      this.policies.attach(root);
      root.querySelector('[autofocus]:not([data-focused])')?.focus();
      root.querySelector('[autofocus]')?.setAttribute('data-focused', '');
    }
  }

  page(nowMs) {
    const own = { now, plan, check, policies, rig, setup, wall }[this.route.page];
    if (own) return own(this, nowMs);
    return this.route.of ? episode(this, nowMs) : episodes(this, nowMs);
  }

  lone() {
    if (this.store.code === FULL) return html`<main class="lone"><h1>${t('full.title')}</h1></main>`;
    if (this.store.code === REPLACED) return html`<main class="lone"><h1>${t('gone.title')}</h1></main>`;
    if (this.store.code !== UNPAIRED) return html`<main class="lone"><p>${t('link.lost')}</p></main>`;
    return html`<main class="lone"><h1>${t('pair.title')}</h1><p>${t('pair.how')}</p>
      <form @submit=${async (event) => { event.preventDefault(); if (await this.pair(new FormData(event.target).get('code').trim())) { this.store.code = 0; this.link.open(); } this.draw(); }}>
        <label>${t('pair.code')} <input name="code" maxlength="10" size="12" required autocomplete="off" autocapitalize="characters"></label>
        <button class="main">${t('pair.button')}</button></form>
      <p class="trouble" role="alert">${this.pairing}</p></main>`;
  }
}

window.app = new App();
window.app.start();
