// What is said aloud: the session's own words, by the browser's voice where it has one, else tones. Off until somebody turns it on.

let context = null;

export function soundOn() {
  context ??= new AudioContext();
  context.resume();
  tone(1);
}

export function say({ words, beeps }) {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  if (!voices.length) return tone(beeps);
  speechSynthesis.cancel();
  const spoken = new SpeechSynthesisUtterance(words);
  spoken.lang = 'en';
  spoken.rate = 1.1;
  speechSynthesis.speak(spoken);
}

function tone(beeps) {
  if (!context) return;
  for (let n = 0; n < beeps; n++) {
    const start = context.currentTime + n * 0.2;
    const oscillator = new OscillatorNode(context, { frequency: 880 });
    const gain = new GainNode(context, { gain: 0.1 });
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.1);
  }
}
