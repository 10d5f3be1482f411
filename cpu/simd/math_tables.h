// Coefficients of math-inl.h. Written by math_tables.py; do not edit.
#pragma once

// clang-format off
namespace tandem::cpu {

// e^r - 1 = r (c0 + c1 r + ...) for |r| <= ln 2 / 2.
inline constexpr float kExpPoly[] = {
    0x1p+0f, 0x1.fffffcp-2f, 0x1.55541ap-3f, 0x1.555826p-5f, 0x1.126774p-7f, 0x1.6ae40cp-10f
};

// The same for |r| <= ln 2 / 64; error 5e-8.
inline constexpr float kExpShort[] = {
    0x1.0000f6p+0f, 0x1.000028p-1f
};

// 2^f - 1 = f (c0 + c1 f + ...) for |f| <= 1/64.
inline constexpr float kExp2Short[] = {
    0x1.62e43p-1f, 0x1.ebfce6p-3f, 0x1.c6af84p-5f
};

// 2^(i/32).
alignas(64) inline constexpr float kExp2Table[1][32] = {
    {
        0x1p+0f, 0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f,
        0x1.2387a6p+0f, 0x1.29e9ep+0f, 0x1.306fep+0f, 0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f,
        0x1.4bfdaep+0f, 0x1.5342b6p+0f, 0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f,
        0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f, 0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f,
        0x1.ae89fap+0f, 0x1.b7f77p+0f, 0x1.c199bep+0f, 0x1.cb720ep+0f, 0x1.d5818ep+0f, 0x1.dfc974p+0f,
        0x1.ea4afap+0f, 0x1.f50766p+0f
    }
};

// 2^(64 + i/32) with i << 18 taken off its pattern: adding (32 n + i) << 18 to it gives 2^(64 + n + i/32).
alignas(64) inline constexpr float kExp2Biased[1][32] = {
    {
        0x1p+64f, 0x1.fd9b0ep+63f, 0x1.fb5586p+63f, 0x1.f9301ep+63f, 0x1.f72b84p+63f, 0x1.f54874p+63f,
        0x1.f387a6p+63f, 0x1.f1e9ep+63f, 0x1.f06fep+63f, 0x1.ef1a74p+63f, 0x1.edea64p+63f, 0x1.ece086p+63f,
        0x1.ebfdaep+63f, 0x1.eb42b6p+63f, 0x1.eab07ep+63f, 0x1.ea47ecp+63f, 0x1.ea09e6p+63f, 0x1.e9f75ep+63f,
        0x1.ea1148p+63f, 0x1.ea589ap+63f, 0x1.eace54p+63f, 0x1.eb737cp+63f, 0x1.ec4918p+63f, 0x1.ed503cp+63f,
        0x1.ee89fap+63f, 0x1.eff77p+63f, 0x1.f199bep+63f, 0x1.f3720ep+63f, 0x1.f5818ep+63f, 0x1.f7c974p+63f,
        0x1.fa4afap+63f, 0x1.fd0766p+63f
    }
};

// log(1 + u) = u + u^2 (c0 + c1 u + ...) for sqrt(1/2) <= 1 + u <= sqrt(2).
inline constexpr float kLogPoly[] = {
    -0x1.fffffap-2f, 0x1.5556f4p-2f, -0x1.000496p-2f, 0x1.98d2c2p-3f, -0x1.535e06p-3f, 0x1.3185f4p-3f,
    -0x1.24fe0cp-3f, 0x1.65b13cp-4f
};

// tanh(x) = x p(x^2) / q(x^2) for |x| <= 9.02; error 2e-8.
inline constexpr float kTanhTop[] = {
    0x1p+0f, 0x1.12045cp-3f, 0x1.c9f91cp-9f, 0x1.5956ep-16f, 0x1.c9a798p-27f
};

// q of the same.
inline constexpr float kTanhBottom[] = {
    0x1p+0f, 0x1.de5778p-2f, 0x1.a7df84p-6f, 0x1.5842d2p-12f, 0x1.a0baf4p-21f
};

// tanh(a + u) = c0 + c1 u + ..., a the low end of a segment of z = |x| + 0.625, by bits 20 to 24 of z.
alignas(64) inline constexpr float kTanhSegments[5][32] = {
    {
        0x1.c278a4p-1f, 0x1.d9c6fcp-1f, 0x1.e878ap-1f, 0x1.f1994ep-1f, 0x1.f73776p-1f, 0x1.faa794p-1f,
        0x1.fcc04cp-1f, 0x1.fe06ecp-1f, 0x1.fecd6cp-1f, 0x1.ff8f22p-1f, 0x1.ffd678p-1f, 0x1.fff0b8p-1f,
        0x1.fffa6p-1f, 0x1.fffdeep-1f, 0x1.ffff3ep-1f, 0x1.ffffb8p-1f, 0x1.ffffe6p-1f, 0x1p+0f,
        0x0p+0f, 0x1.ff559ap-5f, 0x1.fd5992p-4f, 0x1.7b8ffap-3f, 0x1.f597eap-3f, 0x1.35f98ap-2f,
        0x1.6ef53ep-2f, 0x1.d9353ep-2f, 0x1.1bf47ep-1f, 0x1.45323ep-1f, 0x1.68665p-1f, 0x1.85efacp-1f,
        0x1.9e5cb6p-1f, 0x1.b2523cp-1f
    },
    {
        0x1.cea7e6p-3f, 0x1.265d82p-3f, 0x1.6fcdc2p-4f, 0x1.c657e6p-5f, 0x1.16a5acp-5f, 0x1.544ee8p-6f,
        0x1.9e83d8p-7f, 0x1.f816dcp-8f, 0x1.321102p-8f, 0x1.c30ba8p-10f, 0x1.4c0a64p-11f, 0x1.e8b374p-13f,
        0x1.6797acp-14f, 0x1.08949cp-15f, 0x1.8556b8p-17f, 0x1.1e75e2p-18f, 0x1.a37828p-20f, 0x0p+0f,
        0x1p+0f, 0x1.fe015p-1f, 0x1.f8152p-1f, 0x1.ee69ep-1f, 0x1.e1499ep-1f, 0x1.d11574p-1f,
        0x1.be3fbep-1f, 0x1.92a966p-1f, 0x1.6284f2p-1f, 0x1.3173e2p-1f, 0x1.025034p-1f, 0x1.ae0ep-2f,
        0x1.61502cp-2f, 0x1.1f252ap-2f
    },
    {
        -0x1.9724e4p-3f, -0x1.104ed6p-3f, -0x1.5eabc2p-4f, -0x1.b92bbp-5f, -0x1.119516p-5f, -0x1.505fccp-6f,
        -0x1.9b6524p-7f, -0x1.f58842p-8f, -0x1.2eee7p-8f, -0x1.bf09eap-10f, -0x1.4941d4p-11f, -0x1.e4b1cp-13f,
        -0x1.64ab2ep-14f, -0x1.066f92p-15f, -0x1.822fb6p-17f, -0x1.1c245ep-18f, -0x1.920e92p-20f, 0x0p+0f,
        0x1.0fb55p-17f, -0x1.fd2c6cp-5f, -0x1.f56524p-4f, -0x1.6e7e32p-3f, -0x1.d77b7cp-3f, -0x1.19907ap-2f,
        -0x1.3fd638p-2f, -0x1.74372ep-2f, -0x1.89530cp-2f, -0x1.841c88p-2f, -0x1.6bbd0ep-2f, -0x1.4796a4p-2f,
        -0x1.1dfa12p-2f, -0x1.e734bcp-3f
    },
    {
        0x1.9a332cp-4f, 0x1.32157ep-4f, 0x1.a307acp-5f, 0x1.1118bcp-5f, 0x1.59e0b2p-6f, 0x1.ae9d48p-7f,
        0x1.09503p-7f, 0x1.44e9ccp-8f, 0x1.770eaep-9f, 0x1.15561p-10f, 0x1.98db4ap-12f, 0x1.2d0604p-13f,
        0x1.bb125ap-15f, 0x1.460616p-16f, 0x1.dfc416p-18f, 0x1.60ff16p-19f, 0x1.b73d3ap-21f, 0x0p+0f,
        -0x1.55ff4cp-2f, -0x1.510a1cp-2f, -0x1.4161cap-2f, -0x1.28641cp-2f, -0x1.07a6eap-2f, -0x1.c2403ep-3f,
        -0x1.6dc76p-3f, -0x1.7c681ep-4f, -0x1.02eabap-6f, 0x1.680036p-5f, 0x1.56a938p-4f, 0x1.ae0dd4p-4f,
        0x1.ca4ce6p-4f, 0x1.bdc25p-4f
    },
    {
        -0x1.95c5e6p-6f, -0x1.8083c8p-6f, -0x1.253d1ep-6f, -0x1.947832p-7f, -0x1.085d0cp-7f, -0x1.4f36d2p-8f,
        -0x1.a18f18p-9f, -0x1.0155a8p-9f, -0x1.f1b688p-11f, -0x1.70f3e2p-12f, -0x1.103568p-13f, -0x1.90f726p-15f,
        -0x1.271facp-16f, -0x1.b256dap-18f, -0x1.3f95c6p-19f, -0x1.d648a8p-21f, -0x1.b63e9p-23f, 0x0p+0f,
        0x1.10526p-6f, 0x1.ed892ap-5f, 0x1.8c776p-4f, 0x1.04442ap-3f, 0x1.32a558p-3f, 0x1.4fe156p-3f,
        0x1.5b58fp-3f, 0x1.3a078p-3f, 0x1.e9b34p-4f, 0x1.47af6cp-4f, 0x1.63de16p-5f, 0x1.dc1a98p-7f,
        -0x1.6a3d3ep-8f, -0x1.21056ep-6f
    }
};

// Phi(-(i/4 + u)) = c0 + c1 u + ... for |u| <= 1/8, Phi the normal distribution function.
alignas(64) inline constexpr float kPhiSegments[6][32] = {
    {
        0x1p-1f, 0x1.9aecbap-2f, 0x1.3bf144p-2f, 0x1.d022p-3f, 0x1.44ed0cp-3f, 0x1.b0bdd2p-4f,
        0x1.11a46ep-4f, 0x1.482a24p-5f, 0x1.74bcf8p-6f, 0x1.90924ep-7f, 0x1.96f4e6p-8f, 0x1.869044p-9f,
        0x1.61de2p-10f, 0x1.2e86fep-11f, 0x1.e7dbccp-13f, 0x1.72d95ap-14f, 0x1.09ad7ep-15f, 0x1.66a5c8p-17f,
        0x1.c8073cp-19f, 0x1.11058p-20f, 0x1.33ca4cp-22f, 0x1.46a196p-24f, 0x1.463d32p-26f, 0x1.32a3a4p-28f,
        0x1.0f314p-30f, 0x1.c34cd4p-33f, 0x1.6140f4p-35f, 0x1.041824p-37f, 0x1.683d3cp-40f, 0x1.d53fdep-43f,
        0x1.1f6a26p-45f, 0x0p+0f
    },
    {
        -0x1.988454p-2f, -0x1.8bf2bap-2f, -0x1.6883dp-2f, -0x1.345d5ep-2f, -0x1.ef8e58p-3f, -0x1.7610bap-3f,
        -0x1.094086p-3f, -0x1.616454p-4f, -0x1.ba4b44p-5f, -0x1.0402ep-5f, -0x1.1f2f06p-6f, -0x1.29fa54p-7f,
        -0x1.227212p-8f, -0x1.09f38ap-9f, -0x1.c9897p-11f, -0x1.71b91ap-12f, -0x1.18a974p-13f, -0x1.904ac4p-15f,
        -0x1.0c296ap-16f, -0x1.5185d8p-18f, -0x1.8f15dcp-20f, -0x1.bb496cp-22f, -0x1.ce8d2cp-24f, -0x1.c5690ep-26f,
        -0x1.a1858ap-28f, -0x1.692dd4p-30f, -0x1.258266p-32f, -0x1.c0221ep-35f, -0x1.416124p-37f, -0x1.b106cep-40f,
        -0x1.120ddcp-42f, 0x0p+0f
    },
    {
        -0x1.9a9036p-25f, 0x1.8bf22ep-5f, 0x1.68836p-4f, 0x1.ce8bap-4f, 0x1.ef8e1p-4f, 0x1.d394d2p-4f,
        0x1.8de0ep-4f, 0x1.3537f8p-4f, 0x1.ba4ba4p-5f, 0x1.248384p-5f, 0x1.66fb1p-6f, 0x1.99b858p-7f,
        0x1.b3aaep-8f, 0x1.b02afp-9f, 0x1.9056b8p-10f, 0x1.5a9b4cp-11f, 0x1.18a6aep-12f, 0x1.a94966p-14f,
        0x1.2da8b4p-15f, 0x1.90c49p-17f, 0x1.f2ca9cp-19f, 0x1.22dbd8p-20f, 0x1.3df04ap-22f, 0x1.45ce7cp-24f,
        0x1.390bc6p-26f, 0x1.1a119ep-28f, 0x1.dcbfb8p-31f, 0x1.79ec8p-33f, 0x1.190b74p-35f, 0x1.882ba6p-38f,
        0x1.00bb68p-40f, 0x0p+0f
    },
    {
        0x1.1059cap-4f, 0x1.eeee4cp-5f, 0x1.688292p-5f, 0x1.67c04p-6f, -0x1.df46e2p-23f, -0x1.188c2ep-6f,
        -0x1.ba14bap-6f, -0x1.e5e7f8p-6f, -0x1.ba4968p-6f, -0x1.6017fp-6f, -0x1.f6911cp-7f, -0x1.45e9c8p-7f,
        -0x1.83441ep-8f, -0x1.a7dfcp-9f, -0x1.acf766p-10f, -0x1.927f34p-11f, -0x1.5ee038p-12f, -0x1.1ca32ep-13f,
        -0x1.ae499cp-15f, -0x1.2f588ap-16f, -0x1.8f421ep-18f, -0x1.eae24p-20f, -0x1.1a0e9p-21f, -0x1.2f1cd6p-23f,
        -0x1.30be9cp-25f, -0x1.1ebe3p-27f, -0x1.f92d6cp-30f, -0x1.a0ba3ep-32f, -0x1.41ffeep-34f, -0x1.d2354ep-37f,
        -0x1.3c43d4p-39f, 0x0p+0f
    },
    {
        -0x1.543948p-16f, -0x1.823966p-7f, -0x1.494c52p-6f, -0x1.76a85p-6f, -0x1.499978p-6f, -0x1.bfa80cp-7f,
        -0x1.8edfaep-8f, 0x1.7c6ee4p-12f, 0x1.24cf5cp-8f, 0x1.90b266p-8f, 0x1.841cep-8f, 0x1.375fdcp-8f,
        0x1.b4001p-9f, 0x1.10ef7p-9f, 0x1.35afdcp-10f, 0x1.4121a6p-11f, 0x1.32097p-12f, 0x1.0d1a3cp-13f,
        0x1.b5f0b4p-15f, 0x1.4a8066p-16f, 0x1.cf7586p-18f, 0x1.2e533cp-19f, 0x1.6f613cp-21f, 0x1.a035a8p-23f,
        0x1.b7f3d8p-25f, 0x1.b23216p-27f, 0x1.904fc2p-29f, 0x1.58f35ep-31f, 0x1.15f00ap-33f, 0x1.a2f31ap-36f,
        0x1.277318p-38f, 0x0p+0f
    },
    {
        -0x1.434ee4p-7f, -0x1.142e6cp-7f, -0x1.2a17e4p-8f, 0x1.5c2edep-13f, 0x1.0838c2p-8f, 0x1.87363ap-8f,
        0x1.7ed648p-8f, 0x1.18be78p-8f, 0x1.24245ap-9f, 0x1.d83d12p-12f, -0x1.5eef6ep-11f, -0x1.2594b6p-10f,
        -0x1.21010ep-10f, -0x1.c2d05cp-11f, -0x1.2cec52p-11f, -0x1.63365p-12f, -0x1.792a0cp-13f, -0x1.6bfaeep-14f,
        -0x1.416d26p-15f, -0x1.04fa8p-16f, -0x1.87027ap-18f, -0x1.0ef746p-19f, -0x1.5c20c4p-21f, -0x1.9f47f4p-23f,
        -0x1.cc93cep-25f, -0x1.db7122p-27f, -0x1.c93886p-29f, -0x1.99f204p-31f, -0x1.56ea54p-33f, -0x1.0bc4a4p-35f,
        -0x1.868ffp-38f, 0x0p+0f
    }
};

// Phi(-y) e^(y^2/2) = p(y) / q(y) for 0 <= y <= 14.5; error 6e-9.
inline constexpr float kMillsTop[] = {
    0x1p-1f, 0x1.c0d108p-2f, 0x1.7744e2p-3f, 0x1.4cdf34p-5f, 0x1.0dc564p-8f
};

// q of the same.
inline constexpr float kMillsBottom[] = {
    0x1p+0f, 0x1.acaab4p+0f, 0x1.33d7bap+0f, 0x1.e0be18p-2f, 0x1.a1382ep-4f, 0x1.521a9cp-7f
};

}  // namespace tandem::cpu
// clang-format on
