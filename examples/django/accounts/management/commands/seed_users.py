"""`manage.py seed_users`: fills the store through Django's own `create_user`.

Nothing here hashes: `create_user` does, with Django's default hasher and its full iteration count.
That takes a third of a second a user, so two threads share the work (the hash releases the
interpreter's lock). The list that is printed gives the tests each user's password and stored hash.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.core.management.color import no_style
from django.db import connection, transaction

from accounts.models import Profile
from accounts.people import everybody


def create(person):
    with transaction.atomic():
        user = User.objects.create_user(
            person.username, person.email, person.password,
            id=person.id, first_name=person.given_name, last_name=person.family_name,
            is_active=person.is_active, is_staff=person.is_staff, date_joined=person.date_joined,
        )
        Profile.objects.create(
            user=user, email_verified=person.email_verified, locale=person.locale,
            plan=person.plan, newsletter=person.newsletter,
        )
    # Django's clean-up of a user is part of the truth: what it stored counts, not what we asked for.
    return asdict(person) | {
        "email": user.email, "name": user.get_full_name(), "password_hash": user.password,
        "date_joined": user.date_joined.isoformat(),
    }


class Command(BaseCommand):
    help = "Creates the users of accounts/people.py and prints them as JSON."

    def handle(self, *args, **options):
        threads = min(4, os.cpu_count() or 1)
        with ThreadPoolExecutor(threads) as pool:
            created = list(pool.map(create, everybody()))
        # The ids were given, so the sequence must be moved past them.
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [User]):
                cursor.execute(statement)
        self.stdout.write(json.dumps(created, ensure_ascii=False, indent=1))
