"""What this company keeps about its users beside Django's own table."""

from django.conf import settings
from django.db import models


class Profile(models.Model):
    """One row a user. Django does not record whether an address was proven, so projects do it here."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    email_verified = models.BooleanField(default=False)
    locale = models.CharField(max_length=16)
    plan = models.CharField(max_length=16)
    newsletter = models.BooleanField(default=False)
