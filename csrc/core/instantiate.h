#pragma once

// Instantiates a function template of one parameter and without overloads for both float types.
#define LIKEWISE_INSTANTIATE(function)                \
  template decltype(function<float>) function<float>; \
  template decltype(function<double>) function<double>
