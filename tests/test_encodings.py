"""Texts in the encodings that were usual before Unicode."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from index.loading.formats.text import decode, decode_as
from index.loading.loader import load

TEXTS = [
    ("Das Büro öffnet um ½ 9 Uhr. Fläche: 120 m², Preis: 5 € je Stück.", "cp1252"),
    ("Kunde;Ort;Fläche\r\nJörg Köhler;Nürnberg;12 m³\r\nRené Weiß;Köln;85 m²\r\n", "cp1252"),
    ("Der Hausmeister heißt Jürgen Groß und wohnt in der Müllerstraße 5.", "cp1252 cp850 cp437 mac_roman"),
    ("Déchetterie fermée le lundi. Apportez vos encombrants jusqu’à 17 h – merci.", "cp1252 mac_roman"),
    ("Name;Calle;Precio\nMuñoz;Peñón 4;12 €\n", "cp1252"),
    ("Endereço: Rua das Amendoeiras, nº 12, 3º andar. Não há água quente.", "cp1252"),
    ("Città;Qualità\nForlì;Però\n", "cp1252"),
    ("Møtet er flyttet til Ålesund, ½ time senere. Løsning: 3 × 4 cm.", "cp1252"),
    ("Namn;Våning;Yta\nÅke Öberg;3;45 m²\n", "cp1252"),
    ("Þvottahúsið er lokað á laugardag. Spurningar? Hringið í Guðrúnu.", "cp1252"),
    ("The café’s “summer menu” — from £12 to £18 — starts on 1 June…", "cp1252 mac_roman"),
    ("Turn the oven down to 180 °C after 20 minutes.", "cp1252"),
    ("12 ± 3", "cp1252"),
    ("Café", "cp1252"),
    ("Pralnia jest nieczynna w sobotę. Pytania? Dzwoń do Małgorzaty.", "cp1250 iso8859_2"),
    ("Jméno;Město\nJiří Dvořák;České Budějovice\nBožena Němcová;Plzeň\n", "cp1250 iso8859_2"),
    ("A közgyűlés szerdán nyolc órakor kezdődik. Hozzon magával jó kedvet.", "cp1250 iso8859_2"),
    ("Spălătoria este închisă sâmbătă. Întrebări? Sunaţi la Ştefan.", "cp1250"),
    ("Praonica je zatvorena u subotu. Pitanja? Nazovite Željka Šarića.", "cp1250"),
    ("Çamaşırhane cumartesi kapalıdır. Sorularınız için Gülşen Hanım'ı arayın.", "cp1254"),
    ("Skalbykla šeštadienį nedirba. Klausimai? Skambinkite Živilei.", "cp1257"),
    ("Veļas mazgātava sestdien slēgta. Jautājumi? Zvaniet Ilzei Bērziņai.", "cp1257"),
    ("Прачечная в субботу закрыта. Вопросы? Звоните Ольге.", "cp1251 koi8_r cp866 iso8859_5"),
    ("Товар;Количество\nБолт;12\nПрокладка;7\n", "cp1251 koi8_r"),
    ("Пральня в суботу зачинена. Є питання? Телефонуйте Їжаковій.", "cp1251"),
    ("Το πλυντήριο είναι κλειστό το Σάββατο. Ερωτήσεις; Καλέστε την Άννα.", "cp1253 iso8859_7"),
    ("המכבסה סגורה בשבת. שאלות? התקשרו לרינה.", "cp1255"),
    ("المغسلة مغلقة يوم السبت. للأسئلة اتصلوا بفاطمة.", "cp1256"),
    ("การประชุมจะจัดขึ้นในวันพุธเวลาแปดโมง กรุณานำช้อนมาด้วย", "cp874"),
    ("洗衣房周六关闭。有问题请打电话给张女士。", "gb18030"),
    ("洗衣房週六關閉。有問題請打電話給張女士。", "big5"),
    ("名前,都市\n田中さん,東京\nスズキ,大阪\n", "cp932"),
    ("洗濯室は土曜日に閉まっています。質問があれば電話してください。", "cp932 euc_jp"),
    ("세탁실은 토요일에 문을 닫습니다. 질문이 있으면 전화해 주세요.", "cp949"),
]


@pytest.mark.parametrize(("text", "encodings"), TEXTS)
def test_a_short_text_is_decoded_as_it_was_written(text: str, encodings: str) -> None:
    for encoding in encodings.split():
        assert decode(text.encode(encoding)) == text, encoding


@pytest.mark.parametrize(("text", "encodings"), TEXTS)
def test_so_is_a_long_one(text: str, encodings: str) -> None:
    long = "".join(f"{number} {text}\n" for number in range(300))
    for encoding in encodings.split():
        assert decode(long.encode(encoding)) == long, encoding


def test_a_table_is_decoded_by_the_same_rule(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("Straße;Größe;Preis\r\nMühlweg 3;85 m²;1.250,00 €\r\n".encode("cp1252"))
    text = load(tmp_path / "a.csv", "a.csv").text
    assert all(words in text for words in ("Straße", "Größe", "Mühlweg 3", "85 m²", "1.250,00 €"))


@pytest.mark.parametrize("content", [b"\xe9" * 2_000_000, b"a\n" * 2_000_000 + b"\xe9", b"\xe9\n" * 2_000_000])
def test_an_encoding_is_guessed_in_no_time(content: bytes) -> None:
    begun = time.monotonic()
    decode(content)
    assert time.monotonic() - begun < 10


def test_what_is_declared_must_be_an_encoding_of_texts() -> None:
    for name in ("punycode", "idna", "undefined", "unicode_escape", "Raw-Unicode-Escape", "base64", "none"):
        with pytest.raises(LookupError):
            decode_as(b"abc-" + b"b9" * 1_000_000, name)
    for name, content in (("ascii", b"\xe9"), ("utf-7", b"+2AA-")):
        with pytest.raises(ValueError, match="codec"):
            decode_as(content, name)
    assert decode_as("Größe".encode("cp1252"), "windows-1252") == "Größe"
