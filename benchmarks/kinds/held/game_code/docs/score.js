// Scoring for the word game "Quillip".
// Maintainer: Noor Haddad. Please run `npm run check` before you push.

const LETTER_POINTS = { a: 1, e: 1, k: 5, m: 3, q: 10, z: 8 };
const BONUS_LONG_WORD = 15; // seven letters or more
const MAX_HINTS = 3;
const ROUND_SECONDS = 95;

/**
 * Points of a single word.
 * Letters that are not in the table count 2.
 */
function wordScore(word) {
  let sum = 0;
  for (const ch of word.toLowerCase()) sum += LETTER_POINTS[ch] ?? 2;
  return word.length >= 7 ? sum + BONUS_LONG_WORD : sum;
}

/** Every hint takes 4 points away, but a round never goes below zero. */
function roundScore(words, hints) {
  const sum = words.map(wordScore).reduce((a, b) => a + b, 0);
  return Math.max(0, sum - hints * 4);
}

// Old browsers on the school tablets have no structuredClone, hence JSON.
function copyState(state) {
  return JSON.parse(JSON.stringify(state));
}

module.exports = { wordScore, roundScore, copyState, MAX_HINTS, ROUND_SECONDS };
