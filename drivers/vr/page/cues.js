// What is heard and felt: few, short, different.

let audio = null;

/** Browsers allow sound only after a click. */
export function allowSound() {
  audio ??= new AudioContext();
  audio.resume();
}

const CUES = {
  clutch: { tones: [[880, 0.04]], pulses: [[0.4, 30]] },
  release: { tones: [[660, 0.04]], pulses: [[0.2, 20]] },
  hold: { tones: [[220, 0.18], [160, 0.3]], pulses: [[1, 150], [1, 150]] },
  armed: { tones: [[500, 0.1]], pulses: [[0.6, 80]] },
  recording: { tones: [[520, 0.1], [780, 0.15]], pulses: [[0.7, 120]] },
  done: { tones: [[780, 0.1], [520, 0.15]], pulses: [[0.5, 60], [0.5, 60]] },
  refused: { tones: [[200, 0.25]], pulses: [[0.8, 250]] },
};

/** Play a cue on every controller there is. */
export function cue(name, sources = []) {
  const { tones, pulses } = CUES[name];
  document.documentElement.dataset.cue = name;
  if (audio) play(tones);
  for (const source of sources) {
    const actuator = source.gamepad?.hapticActuators?.[0];
    let delay = 0;
    for (const [strength, ms] of pulses) {
      setTimeout(() => actuator?.pulse?.(strength, ms), delay);
      delay += ms + 60;
    }
  }
}

function play(tones) {
  let at = audio.currentTime;
  for (const [hertz, seconds] of tones) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0.15, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    tone.connect(gain).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds;
  }
}
