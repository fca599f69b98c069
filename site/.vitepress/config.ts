import { existsSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { sectionsOf, tokenize } from './search';

const file = new URL('../pages/sidebar.json', import.meta.url);
if (!existsSync(file)) throw new Error('There are no pages yet: run "npm run docs" in the folder above.');

export default defineConfig({
  lang: 'zh-CN',
  title: 'wechatpay-undici',
  description: '微信支付接口参考：wechatpay-undici 的全部接口与通知',
  // What all pages share, the sidebars among it, is one file rather than a part of each page.
  metaChunk: true,
  srcDir: 'pages',
  markdown: { theme: { light: 'github-light', dark: 'github-dark' } },
  vite: { build: { chunkSizeWarningLimit: 20_000 } },
  themeConfig: {
    nav: [
      { text: '接口', link: '/openapi/', activeMatch: '/openapi/' },
      { text: '通知', link: '/notifications/', activeMatch: '/notifications/' },
    ],
    sidebar: JSON.parse(readFileSync(file, 'utf8')),
    outline: { label: '本页' },
    docFooter: { prev: '上一篇', next: '下一篇' },
    darkModeSwitchLabel: '外观',
    sidebarMenuLabel: '目录',
    returnToTopLabel: '回到顶部',
    search: {
      provider: 'local',
      options: {
        // The page itself, for what is taken out of it.
        _render: (markdown) => markdown,
        miniSearch: {
          _splitIntoSections: (_path, markdown) => sectionsOf(markdown),
          options: { tokenize },
          searchOptions: { fuzzy: 0.1, prefix: true, boost: { title: 4, text: 1 } },
        },
        translations: {
          button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
          modal: {
            displayDetails: '显示详情',
            resetButtonTitle: '清除',
            backButtonTitle: '关闭',
            noResultsText: '没有结果：',
            footer: { selectText: '打开', navigateText: '切换', closeText: '关闭' },
          },
        },
      },
    },
  },
});
