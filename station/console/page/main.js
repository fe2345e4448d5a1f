// The page: hears, keeps what was heard, draws it, asks. What it shows is a function of what the station said last (model.js, now.js).
import { html, render } from '/vendor/lit-html.js';
import { Link, FULL, REPLACED, UNPAIRED } from '/link.js';
import { actionOf, holds, keyed, pressing } from '/model.js';
import { now } from '/now.js';
import { say, soundOn } from '/sound.js';
import { Strips } from '/strips.js';
import { Tiles } from '/tiles.js';
import { t } from '/words.js';

const TOLD_MS = 8000;
const DRAW_MS = 100;

class App {
  constructor() {
    this.store = {
      link: 'connecting', code: 0, welcome: null, state: null, stateAt: 0, asked: new Map(), told: null, question: null, note: null, help: false,
    };
    this.tiles = new Tiles();
    this.strips = new Strips();
    this.form = JSON.parse(localStorage.getItem('begin') ?? '{}');
    this.sound = false;
    this.pairing = '';
    this.link = new Link({
      heard: (message) => this.heard(message),
      picture: (place, ageMs, blob) => this.tiles.take(place, ageMs, blob),
      changed: (link, code) => this.changed(link, code),
    });
    document.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('click', (event) => event.target.closest?.('button')?.blur());
    setInterval(() => this.draw(), DRAW_MS); // ages go on although nothing comes
  }

  async start() {
    const code = location.hash.slice(1);
    if (/^[A-Za-z0-9]{10}$/.test(code)) {
      history.replaceState(null, '', location.pathname);
      await this.pair(code);
    }
    this.link.open();
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
    }
    this.draw();
  }

  heard(message) {
    const { store } = this;
    if (message.kind === 'welcome') {
      if (store.welcome && store.welcome.version !== message.version) this.tell(t('version'), 'warn', Infinity);
      store.welcome = message;
      this.link.say({ type: 'watch', cameras: message.rig.cameras.slice(0, 8) });
    } else if (message.kind === 'state') {
      store.state = message;
      store.stateAt = performance.now() - this.link.delay(message.now_ns / 1e6);
      document.title = `${message.session?.phase === 'recording' ? t('title.rec') : ''} ${store.welcome?.rig.name ?? 'station'}`;
      if (store.question && store.question.sequence !== message.session?.sequence) store.question = null; // it was about something else
    } else if (message.kind === 'tick') {
      this.strips.take(message);
      return;
    } else if (message.kind === 'cue') {
      if (this.sound && (holds(store) || store.welcome.role === 'viewer')) say(message);
    } else if (message.kind === 'answer') {
      const asked = store.asked.get(message.id);
      store.asked.delete(message.id);
      const words = asked?.words ?? '';
      if (message.done) this.tell(t('done', { what: message.why ? `${words}: ${message.why}` : words }), 'ok');
      else this.tell(t('refused', { why: message.why }), 'bad', Infinity);
    }
    this.draw();
  }

  tell(words, level, forMs = TOLD_MS) {
    this.store.told = { words, level, until: performance.now() + forMs };
  }

  // -- asked --

  ask(what, words, message) {
    if ([...this.store.asked.values()].some((asked) => asked.what === what)) return;
    const id = this.link.ask(message);
    if (!id) return this.tell(t('refused', { why: t('link.lost') }), 'bad');
    this.store.asked.set(id, { what, words });
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

  answer(yes) {
    const { question } = this.store;
    this.store.question = null;
    if (yes && question) this.ask(question.name, actionOf(this.store, question.name).label, { type: 'press', name: question.name, seen: question.sequence });
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
    });
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
    if (event.target.closest?.('input, textarea, select, [contenteditable]')) {
      if (event.key === 'Escape' && this.store.note !== null) this.note(null);
      return;
    }
    const name = { ' ': 'space', ArrowLeft: 'left' }[event.key] ?? event.key.toLowerCase();
    if ((name === 'space' || name === 'enter') && event.target.closest?.('button')) return; // led there by Tab: that button is meant
    if (name === 'h') return this.hold();
    const does = keyed(this.store, name, performance.now());
    if (does.what === 'nothing') return;
    event.preventDefault();
    this.act(does);
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
      render(now(this, nowMs), root);
      for (const canvas of root.querySelectorAll('canvas[data-place]')) this.tiles.attach(Number(canvas.dataset.place), canvas);
      for (const strip of root.querySelectorAll('.strip[data-side]')) this.strips.attach(strip, Number(strip.dataset.side), Number(strip.dataset.sides));
      root.querySelector('[autofocus]:not([data-focused])')?.focus();
      root.querySelector('[autofocus]')?.setAttribute('data-focused', '');
    }
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
