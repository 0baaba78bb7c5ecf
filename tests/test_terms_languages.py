from __future__ import annotations

import pytest

from index.splitting.terms import find_terms

SAME = {
    "Russian": "книга книги|книга книгой|город городах|российский российского|столица столице|учёный ученый"
    "|университет университета|договор договоры|компания компании|работник работникам|студенты студентов|закон законов"
    "|первый первая|арендная арендной|ёж еж",
    "Ukrainian": "місто міста|книга книги|україна україни|закон закону",
    "Serbian": "књига књиге|град града",
    "Arabic": "كتاب كتابا|الكتاب كتاب|والكتاب كتاب|مدرسة المدرسة|مدرسة مدرسه|أحمد احمد|إسلام اسلام|مستشفى مستشفي"
    "|مكتبات مكتبة|المهندسون مهندسين|كتابها كتاب|بالمدينة المدينة|للمدرسة مدرسة|العَرَبِيّة العربية|ســـلام سلام",
    "Persian": "کتاب كتاب|کتاب\u200cها کتاب|کتابها کتاب|ایران ايران|شهرهای شهر|گروه گروهها",
    "Hindi": "लड़का लड़के|किताब किताबें|किताबों किताब|शहर शहरों|ज़मीन जमीन|नदी नदियों|सड़क सड़कें",
    "Greek": "νόμος νόμους|πόλη πόλης|ΑΘΗΝΑ Αθήνα|εταιρεία εταιρείες|σχολείο σχολεία|χώρα χώρες",
    "Armenian": "քաղաք քաղաքի|քաղաքներ քաղաք",
    "Tamil": "மரம் மரத்தில்|பள்ளி பள்ளிகள்|புத்தகம் புத்தகங்கள்|நகரம் நகரத்தில்",
    "Hebrew": "שָׁלוֹם שלום",
    "Korean": "서울 서울에서|학교 학교를|대한민국 대한민국의|도서관 도서관은|회사 회사가",
    "Japanese": "大学 東京大学|プログラミング プログラム|ﾊﾟｽ パス|が か\u3099",
    "Chinese": "机器学习 学习|北京大学 北京",
    "Thai": "ภาษาไทย ภาษา|กรุงเทพ กรุงเทพมหานคร",
    "German": "Straße Strasse|STRASSE straße|Vertrag Verträge",
    "Nordic": "Øre ore|Æble aeble|Þór thor",
    "Slavic": "Łódź Lodz|Đorđe Dorde",
    "French": "l'université université|cœur coeur|l’homme homme",
    "Italian": "dell'università università|città citta",
    "Turkish": "Ankara'nın Ankara|IŞIK ışık|İzmir izmir",
}
OTHER = {
    "Russian": "город горох|мир море|вода водка|право правда|дом дума|лес лицо|рука река|мука мак",
    "Arabic": "كتاب كلب|مدرسة مدينة|علم عمل|بنت بيت|قلم قلب",
    "Hindi": "कल काल|दिन दान|फल फूल|कम काम",
    "Tamil": "பல் பால்|கல் கால்",
    "Thai": "มา ม้า|ปู่ ปี|ไก่ ไข่",
    "Japanese": "はは ばば|パス バス|ハン パン",
    "Korean": "강 공|학교 병원",
    "Hebrew": "ספר שפה",
}


def pairs_of(words: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(language, *pair.split(" ")) for language, pairs in words.items() for pair in pairs.split("|")]


@pytest.mark.parametrize(("language", "one", "other"), pairs_of(SAME))
def test_forms_of_a_word_share_a_term(language: str, one: str, other: str) -> None:
    assert set(find_terms(one)) & set(find_terms(other)), language


@pytest.mark.parametrize(("language", "one", "other"), pairs_of(OTHER))
def test_words_that_differ_in_a_vowel_or_a_mark_are_two(language: str, one: str, other: str) -> None:
    assert not set(find_terms(one)) & set(find_terms(other)), language


@pytest.mark.parametrize(
    "word",
    [
        "हिन्दी",
        "विश्वविद्यालय",
        "বাংলা",
        "ਪੰਜਾਬੀ",
        "ગુજરાતી",
        "தமிழ்",
        "తెలుగు",
        "ಕನ್ನಡ",
        "മലയാളം",
        "සිංහල",
        "עִבְרִית",
        "العَرَبِيَّة",
        "नेपाली",
    ],
)
def test_a_word_with_vowel_signs_is_not_cut_in_pieces(word: str) -> None:
    assert len(find_terms(word)) == 1


def test_joiners_and_signs_of_direction_do_not_part_words() -> None:
    assert find_terms("क\u094d\u200dष") == find_terms("क\u094dष")
    assert find_terms("क\u094d\u200cष") == find_terms("क\u094dष")
    assert find_terms("co\u00adoperation \u200fשלום\u200e") == find_terms("cooperation שלום")


def test_vowels_and_tones_of_thai_are_kept() -> None:
    assert find_terms("ปู่") == ["ปู", "ู่"]
