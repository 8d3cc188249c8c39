from acme_grade.hooks import GraderContract
from acme_noir.prints import Noir, Sepia


class TestNoir(GraderContract):
    provider = Noir()


class TestSepia(GraderContract):
    provider = Sepia()
