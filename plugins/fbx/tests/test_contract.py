from kinetoscope_fbx.contract import FbxContract


class TestFbx(FbxContract):
    pass
