"""What all texts have in common for a model, and is taken off its vectors.

Some models put all texts into a narrow cone: for the multilingual E5, two texts that have nothing in common have a
cosine of 0.79, where the embedded model gives 0.16. How surely documents answer, and whether a sentence is supported,
is judged by how large cosines are. So of a model with such a cone the mean vector is taken off (Mu and Viswanath 2018,
"All-but-the-Top"), which brings its cosines to about the embedded model's scale and hardly changes what is nearest.

The mean is that of the texts below, which have nothing in common; not of the documents, or it would change with them.
"""

from __future__ import annotations

import numpy as np

from index.embedding.protocol import Vectors

MOST_IN_COMMON = 0.5  # the mean cosine of such texts, from which on there is a cone
TEXTS = (
    "The ship left the harbour at six in the morning.",
    "Please send the invoice to the accounting department by Friday.",
    "Photosynthesis turns light into chemical energy.",
    "She has played the violin since she was seven.",
    "The court dismissed the appeal.",
    "Add two eggs and stir until the sugar has dissolved.",
    "Der Vertrag endet am 31. Dezember und verlängert sich nicht.",
    "Die Temperatur im Reaktor darf 80 Grad nicht überschreiten.",
    "Le conseil municipal a voté le budget de l'année prochaine.",
    "Le musée est fermé le lundi.",
    "El paciente no presentó fiebre durante la noche.",
    "La empresa abrió una nueva fábrica en el norte.",
    "Поезд прибывает на вторую платформу.",
    "Урожай пшеницы в этом году был низким.",
    "会议将于下周三上午举行。",
    "这种材料的强度比钢高。",
    "この薬は食後に飲んでください。",
    "電車は大雪のため遅れている。",
    "تقع المدينة على ضفاف النهر.",
    "يبدأ الدوام الدراسي في أيلول.",
    "यह पुस्तक दो भागों में छपी है।",
    "नदी का पानी बहुत ठंडा था।",
    "Takım maçı son dakikada kazandı.",
    "Bu yazılım ücretsiz olarak indirilebilir.",
)


def find_centre(vectors: Vectors) -> Vectors | None:
    """What the unit vectors of `TEXTS` have in common, of shape (dimensions,); None where that is little."""
    count = len(vectors)
    centre: Vectors = vectors.mean(axis=0)
    in_common = (count * float(centre @ centre) - 1) / (count - 1)  # the mean cosine of two different ones
    return centre if np.isfinite(in_common) and in_common > MOST_IN_COMMON else None
