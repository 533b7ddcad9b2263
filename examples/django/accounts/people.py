"""Who is in the legacy store: 240 people, the same on every machine.

Most are ordinary. The last few are the cases on which migrations fail; `kind` names them.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

COUNT = 240
# Stores that have lived do not begin at 1.
FIRST_ID = 1001

# (locale, given names, family names); the locale's script is what matters, not who bears the name.
NAMES = [
    ("en", ["Ada", "Grace", "Barbara", "Alan"], ["Lovelace", "Hopper", "Liskov", "Turing"]),
    ("fr", ["Zoé", "François", "Anaïs"], ["Lefèvre", "Gâtineau", "Œuvrard"]),
    ("pl", ["Łucja", "Żaneta", "Świętosław"], ["Wiśniewska", "Źrebiec", "Dąbrowski"]),
    ("vi", ["Nguyệt", "Đức", "Hồng Ánh"], ["Nguyễn", "Trần", "Đặng"]),
    ("ru", ["Анна", "Фёдор", "Наталья"], ["Соловьёва", "Щукин", "Емельянова"]),
    ("el", ["Ελένη", "Γιώργος", "Σοφία"], ["Παπαδοπούλου", "Οικονόμου", "Ψαρρός"]),
    ("zh", ["小明", "秀英", "建国"], ["王", "欧阳", "𠮷田"]),
    ("ja", ["さくら", "ケンジ", "美咲"], ["佐藤", "髙橋", "渡邉"]),
    ("ko", ["지우", "서연", "민준"], ["김", "남궁", "박"]),
    ("ar", ["فاطمة", "محمد", "ليلى"], ["الزهراء", "بن علي", "الحسيني"]),
    ("he", ["נועה", "אורי"], ["כהן", "בן־דוד"]),
    ("hi", ["अनुष्का", "विक्रम", "प्रिया"], ["शर्मा", "त्रिपाठी", "श्रीवास्तव"]),
    ("th", ["สมชาย", "กัญญา"], ["ใจดี", "ศรีสุข"]),
    ("ka", ["ნინო", "გიორგი"], ["ბერიძე", "მაისურაძე"]),
    ("am", ["ሰላም", "አበበ"], ["ተስፋዬ", "ገብረማርያም"]),
    ("en-IE", ["Síle", "Seán", "Mary-Kate"], ["O’Brien", "O'Neill", "d’Arcy-Smith"]),
]
# Passwords in several scripts too: what is hashed are the UTF-8 bytes.
PHRASES = ["correct horse", "Straße 7", "пароль", "密码本", "سِرّ", "कुंजी", "p@$$w0rd’s", "🔑 emoji"]


@dataclass
class Person:
    """One user as the seed command makes it."""

    id: int
    kind: str
    username: str
    email: str
    password: str | None
    given_name: str
    family_name: str
    locale: str
    plan: str
    email_verified: bool
    newsletter: bool
    is_active: bool
    is_staff: bool

    @property
    def date_joined(self):
        first = datetime(2015, 1, 1, 12, tzinfo=UTC)
        return first + timedelta(days=13 * (self.id - FIRST_ID), microseconds=self.id)


def password_of(index):
    """Known to whoever has this file, and no two alike."""
    tail = hashlib.sha256(f"ferry legacy user {index}".encode()).hexdigest()[:10]
    return f"{PHRASES[index % len(PHRASES)]} {tail}"


def ordinary(index):
    locale, given, family = NAMES[index % len(NAMES)]
    row = index // len(NAMES)
    username = f"user{index:03}"
    return Person(
        id=FIRST_ID + index,
        kind="ordinary",
        username=username,
        email=f"{username}@example.com",
        password=password_of(index),
        given_name=given[row % len(given)],
        family_name=family[(row // len(given)) % len(family)],
        locale=locale,
        plan=("free", "team", "enterprise")[index % 3],
        email_verified=index % 5 != 4,
        newsletter=index % 2 == 0,
        is_active=True,
        is_staff=index % 40 == 0,
    )


def mixed_case(person):
    """Django folds only the domain: the local part stays as it was typed."""
    person.email = "MiXed.Case@Example.com"


def inactive(person):
    person.is_active = False


def no_password(person):
    """Came through a social login: Django stores an unusable password."""
    person.password = None


def no_email(person):
    person.email = ""


def shared_email(person):
    """Django does not ask for unique addresses, so one day two rows have the same one."""
    person.email = "shared@example.com"


def odd_address(person):
    person.email = "o'hara+news@sub.example.com"


def spaced_password(person):
    """Django hashes what was typed, spaces and all."""
    person.password = f"  {person.password}  "


def long_password(person):
    """Longer than the 72 bytes at which bcrypt stops reading."""
    person.password = person.password + " and so on" * 12


SPECIAL = [
    mixed_case, inactive, no_password, no_email, shared_email, shared_email, odd_address,
    spaced_password, long_password,
]


def everybody():
    """All of them, in the order of their ids."""
    people = [ordinary(index) for index in range(COUNT)]
    for person, change in zip(people[-len(SPECIAL):], SPECIAL):
        person.kind = change.__name__
        change(person)
    return people
