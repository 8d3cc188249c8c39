// What viser's page does not do by itself, while it shows our figures. See _page.py and _glb.py.
(() => {
  if (window.__kinetoscope) return;
  window.__kinetoscope = true;

  // viser 1.1 stops for good when a skinned mesh goes: it asks a node that is null, not undefined, for its bones.
  const mended = new WeakSet();
  function mend(page) {
    if (mended.has(page.nodeRefFromName)) return;
    page.nodeRefFromName = new Proxy(page.nodeRefFromName, {
      set(nodes, name, node) {
        if (node === null) delete nodes[name];
        else nodes[name] = node;
        return true;
      },
    });
    mended.add(page.nodeRefFromName);
  }

  function skinned(root) {
    const found = [];
    root.traverse((held) => {
      if (held.isSkinnedMesh) found.push(held);
    });
    return found;
  }

  // A figure's meshes take the bones of its rig. Behind these stand more that move nothing: each place holds
  // three factors of shapes.
  function adopt(mesh, rig, bones) {
    mesh.bind(rig.skeleton, new mesh.matrixWorld.constructor());
    mesh.frustumCulled = false;
    const normals = mesh.geometry.getAttribute("_normal");
    if (normals) mesh.geometry.setAttribute("normal", normals);
    const shapes = mesh.morphTargetInfluences;
    const first = mesh.userData.first ?? 0;
    const shape = () => {
      for (let i = 0; shapes && i < shapes.length; i++) {
        const at = first + i;
        shapes[i] = rig.skeleton.bones[bones + Math.floor(at / 3)].position.getComponent(at % 3);
      }
    };
    // Just before it is drawn, so that shapes and bones are those of one picture.
    mesh.onBeforeRender = mesh.onBeforeShadow = shape;
    mesh.userData.shape = shape;
  }

  // A body goes pale where its skeleton is to be seen: the rig's own material says how much.
  function fade(material, rig) {
    const was = (material.userData.was ??= { transparent: material.transparent, opacity: material.opacity });
    const pale = rig.material.transparent;
    const transparent = pale || was.transparent;
    if (material.transparent !== transparent) material.needsUpdate = true;
    material.transparent = transparent;
    material.opacity = pale ? rig.material.opacity * was.opacity : was.opacity;
  }

  function dress(page) {
    for (const name in page.nodeRefFromName) {
      if (!name.endsWith("/skin")) continue;
      const root = page.nodeRefFromName[name];
      const held = page.nodeRefFromName[name.slice(0, -4) + "rig"];
      const rig = held && skinned(held)[0];
      if (!root || !rig || !rig.skeleton.bones[0].parent) continue;
      for (const mesh of skinned(root)) {
        if (mesh.skeleton !== rig.skeleton) {
          const bones = mesh.userData.bones ?? mesh.skeleton.bones.length;
          mesh.userData.bones = bones;
          adopt(mesh, rig, bones);
          // It has been too small to be seen until now: it stood where it was modelled.
          for (let node = mesh; node !== root; node = node.parent) node.scale.setScalar(1);
          page.requestRender?.();
        }
        fade(mesh.material, rig);
      }
    }
  }

  function turn() {
    requestAnimationFrame(turn);
    const page = window.__viserMutable;
    if (!page?.nodeRefFromName) return;
    mend(page);
    dress(page);
  }
  turn();
})();
