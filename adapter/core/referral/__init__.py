"""The loop of a referral: who may move its Task where, what a partner's Task says, and what has become of it."""
