"""Small sample shops, real payload folders and generated catalogues, served over real HTTP."""
