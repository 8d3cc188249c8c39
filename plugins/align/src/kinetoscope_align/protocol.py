"""What an aligner takes and gives."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from kinetoscope_spec import Audio, Character, Motion, Script

__all__ = ["Aligner", "LipSync"]


@runtime_checkable
class Aligner(Protocol):
    """Finds out when what a script says is heard.

    Laws: the sound itself, its rate and its provenance stay what they are. The values of the cues of
    kind `word` are the words of the script, all of them, in order (`kinetoscope_spec.script.words` of
    each line's `plain_text`). Cues of one kind follow one another without overlap, inside the sound;
    each phoneme and viseme has its span inside the time of some word, `sil` alone stands between them.
    Cues do not move by more than a frame of film (1/24 s) when the sound is made louder, softer or given at
    another rate, and move with it when silence is put before it. The `source` of each says whether it
    is the voice's own (`native`), was found in the sound (`aligned`) or reckoned (`estimated`); what is
    estimated grows with the sound. Native cues are kept.
    """

    def align(self, audio: Audio, script: Script) -> Audio:
        """Return the same sound with cues of words, phonemes (IPA) and visemes (the 15 of Oculus).

        Cues of sentences and marks that it has are kept. Silence, and sound that is not what the script
        says, gets estimates: the script is taken at its word.

        Raises:
            ValidationError: the script has no word.
        """
        ...


@runtime_checkable
class LipSync(Protocol):
    """Lets a performer be seen to speak.

    Laws: length, framerate, skeleton, positions and scales stay what they are, and so do the rotations of
    hips, legs and feet. Before the speech and after it, up to half a second, nothing has changed, and with
    silence nothing at all. Weights of morph channels are 0 to 1. Moves are functions of time: at half the
    framerate the frames are every second one. The same arguments give the same motion.
    """

    def move(
        self, motion: Motion, character: Character, audio: Audio, *, at: float = 0.0, seed: int = 0
    ) -> Motion:
        """Return the motion with what goes with speech that begins at `at` seconds.

        Args:
            motion: the performance, of the character's skeleton.
            character: its meshes' morph channels are what a mouth can do; it faces +Z at rest.
            audio: speech; with cues of visemes the mouth takes part.
            at: seconds of the motion, may be below 0 or after its end.
            seed: of what is drawn by lot.

        Raises:
            ValidationError: the motion moves another skeleton than the character's.
        """
        ...
