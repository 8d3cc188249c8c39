from acme_grade.hooks import GraderContract
from acme_grade.warm import Warm


class TestWarm(GraderContract):
    provider = Warm()
